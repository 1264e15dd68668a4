// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: language mode 6, no implicit re-exports, no hidden existentials, no warning left
/// standing.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// Where the toolchain keeps its libraries for Embedded Swift, while `make` builds the executable
/// (config/build-executable.sh). The library and the tests are ordinary Swift from the same sources:
/// docs/architecture.md.
let embedded = Context.environment["RUNBOX_EMBEDDED"]

/// Functions that are called, where the optimizer would copy them into each of thousands of places, which makes the
/// executable a third larger: `String.append(_:)`, `String.==`, the end of a `Descriptor`, `String.init(decoding:as:)`.
let calledFunctions =
    ["$eSS6appendyySSF", "$eSS2eeoiySbSS_SStFZ", "$e6Kernel10DescriptorVfD"].map { "-sil-inline-never-function=\($0)" }
    + ["-sil-inline-never-functions=SS8decoding2as"]

/// Settings of what the executable is made of. A section for each function lets the linker drop what nobody calls, and
/// all but one of what several modules have specialized.
let product = settings()

/// - Parameter passes: Passes of the optimizer that fail on the module. The object outliner is off in all of them:
///   Swift 6.3.1 gives the constant arrays of a function that several modules inline the same weak names in another
///   order, so that the linker exchanges them.
func settings(without passes: [String] = []) -> [SwiftSetting] {
    if embedded == nil { return strict }
    let optimizer =
        ["-enable-machine-outliner=always", "-machine-outliner-reruns=3", "-enable-linkonceodr-outlining"]
        + calledFunctions + (["object-outliner"] + passes).map { "-sil-disable-pass=\($0)" }
    return strict + [
        .enableExperimentalFeature("Embedded"), .define("RUNBOX_EMBEDDED"),
        .unsafeFlags(
            // The checks of exclusive access are calls of functions that do nothing in Embedded Swift.
            ["-wmo", "-Osize", "-Xfrontend", "-function-sections", "-assume-single-threaded"]
                + ["-enforce-exclusivity=unchecked"]
                + optimizer.flatMap { ["-Xllvm", $0] }),
    ]
}

/// Settings of the C targets that know which of the two builds they are in.
let shim: [CSetting] = embedded == nil ? [] : [.define("RUNBOX_EMBEDDED")]

/// Sources/CSeal/seal.c
#if arch(x86_64)
    let entry = ["--entry=cseal_start"]
#else
    let entry: [String] = []
#endif

/// What counts references where a single thread runs Swift (the other one of CLinux/listener.c runs C). Embedded Swift
/// has only the functions that several threads may call.
let counters = ["", "bridgeObject"].flatMap { kind in
    ["etain", "elease"].flatMap { name in
        ["", "_n"].map { many in
            let function = "\(kind)\(kind.isEmpty ? "r" : "R")\(name)\(many)"
            return "--defsym=swift_nonatomic_\(function)=swift_\(function)"
        }
    }
}

/// A static executable without the libraries of ordinary Swift, its functions in an order of ours
/// (config/function-order.txt).
let linking: [LinkerSetting] =
    embedded == nil
    ? []
    : [
        .unsafeFlags(
            ["-Xclang-linker", "-static", "-use-ld=lld", "-lm"]
                + ([
                    "--gc-sections", "--icf=all", "-O2", "--no-eh-frame-hdr", "--no-warn-symbol-ordering",
                    "--script=\(Context.packageDirectory)/config/executable.ld",
                    "--symbol-ordering-file=\(Context.packageDirectory)/config/function-order.txt",
                ] + entry + counters).flatMap { ["-Xlinker", $0] })
    ]

/// What `runbox --version` calls the commit; empty outside of a git checkout.
let commit = Context.gitInformation?.currentCommit ?? ""

/// The arrows of `docs/architecture.md`; `make check` refuses any import that is not written here.
let package = Package(
    name: "runbox",
    products: [
        .executable(name: "runbox", targets: ["runbox"]),
        .library(name: "ContainerRuntime", targets: ["ContainerRuntime", "Diagnosis"]),
    ],
    targets: [
        .target(name: "JSON", swiftSettings: product),
        .target(name: "OCISpec", dependencies: ["JSON"], swiftSettings: product),
        .target(name: "CLinux", cSettings: shim + [.define("RUNBOX_COMMIT", to: "\"\(commit)\"")]),
        .target(name: "CSeal", cSettings: shim),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .target(name: "KernelTypes", dependencies: ["CLinux", "CSeccomp", "CCap"], swiftSettings: product),
        .target(name: "Errors", dependencies: ["KernelTypes"], swiftSettings: product),
        .target(name: "DBus", dependencies: ["KernelTypes"], swiftSettings: product),
        .target(
            name: "CgroupPlanning", dependencies: ["DBus", "OCISpec", "Errors", "KernelTypes"], swiftSettings: product),
        .target(
            name: "Planning", dependencies: ["CgroupPlanning", "OCISpec", "Errors", "KernelTypes"],
            swiftSettings: product),
        .target(
            name: "Kernel", dependencies: ["KernelTypes", "CLinux", "CSeccomp", "CCap"], swiftSettings: product),
        .target(name: "Criu", dependencies: ["Kernel", "KernelTypes"], swiftSettings: product),
        .target(name: "DBusTransport", dependencies: ["DBus", "Kernel", "KernelTypes"], swiftSettings: product),
        .target(
            name: "Cgroups",
            dependencies: ["CgroupPlanning", "DBusTransport", "DBus", "OCISpec", "Errors", "Kernel", "KernelTypes"],
            swiftSettings: product),
        .target(
            name: "ContainerRuntime",
            dependencies: [
                "Planning", "CgroupPlanning", "Cgroups", "Criu", "OCISpec", "JSON", "Errors", "Kernel", "KernelTypes",
            ],
            // Swift 6.3.1 crashes there on a borrowed `Descriptor?` in a generic closure.
            swiftSettings: settings(without: ["cmo"])),
        .target(
            name: "Diagnosis",
            dependencies: [
                "ContainerRuntime", "Planning", "CgroupPlanning", "Cgroups", "OCISpec", "JSON", "Errors", "Kernel",
                "KernelTypes",
            ],
            swiftSettings: product),
        .target(
            name: "Services",
            dependencies: ["ContainerRuntime", "Planning", "OCISpec", "JSON", "Errors", "Kernel", "KernelTypes"],
            swiftSettings: product),
        .executableTarget(
            name: "runbox",
            dependencies: [
                "ContainerRuntime", "Services", "Diagnosis", "Planning", "OCISpec", "JSON", "Errors", "Kernel",
                "KernelTypes",
                "CSeal",
            ],
            swiftSettings: product, linkerSettings: linking),

        .target(
            name: "TestSupport",
            dependencies: ["Planning", "CgroupPlanning", "OCISpec", "Errors", "Kernel", "KernelTypes"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
        .testTarget(
            name: "OCISpecTests", dependencies: ["OCISpec", "JSON", "TestSupport"], exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "KernelTypesTests", dependencies: ["KernelTypes", "Kernel", "TestSupport", "CLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "ErrorsTests", dependencies: ["Errors", "KernelTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "KernelTests", dependencies: ["Kernel", "KernelTypes", "TestSupport", "CLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "CriuTests", dependencies: ["Criu", "Kernel", "KernelTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "DBusTests", dependencies: ["DBus", "KernelTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "DBusTransportTests", dependencies: ["DBusTransport", "DBus", "Kernel", "KernelTypes", "CLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "CgroupPlanningTests",
            dependencies: ["CgroupPlanning", "DBus", "OCISpec", "Errors", "KernelTypes", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CgroupsTests",
            dependencies: [
                "Cgroups", "CgroupPlanning", "DBus", "DBusTransport", "OCISpec", "Errors", "Kernel", "KernelTypes",
                "TestSupport", "CLinux",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PlanningTests",
            dependencies: ["Planning", "CgroupPlanning", "OCISpec", "Errors", "KernelTypes", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ContainerRuntimeTests",
            dependencies: [
                "ContainerRuntime", "Planning", "CgroupPlanning", "Cgroups", "OCISpec", "JSON", "Errors", "Kernel",
                "KernelTypes", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DiagnosisTests",
            dependencies: [
                "Diagnosis", "ContainerRuntime", "Planning", "CgroupPlanning", "OCISpec", "Errors", "Kernel",
                "KernelTypes", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ServicesTests",
            dependencies: [
                "Services", "ContainerRuntime", "Planning", "OCISpec", "JSON", "Errors", "Kernel", "KernelTypes",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(name: "RuntimeTests", swiftSettings: strict),
        .executableTarget(
            name: "runbox-fuzz",
            dependencies: [
                "ContainerRuntime", "Planning", "CgroupPlanning", "Cgroups", "DBus", "OCISpec", "JSON", "Errors",
                "Kernel", "KernelTypes",
            ],
            swiftSettings: strict),
    ]
)

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
        .target(name: "JSON", swiftSettings: strict),
        .target(name: "OCISpec", dependencies: ["JSON"], swiftSettings: strict),
        .target(name: "CLinux", cSettings: [.define("RUNBOX_COMMIT", to: "\"\(commit)\"")]),
        .target(name: "CSeal"),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .target(name: "KernelTypes", dependencies: ["CLinux", "CSeccomp", "CCap"], swiftSettings: strict),
        .target(name: "Errors", dependencies: ["KernelTypes"], swiftSettings: strict),
        .target(name: "DBus", dependencies: ["KernelTypes"], swiftSettings: strict),
        .target(
            name: "CgroupPlanning", dependencies: ["DBus", "OCISpec", "Errors", "KernelTypes"], swiftSettings: strict),
        .target(
            name: "Planning", dependencies: ["CgroupPlanning", "OCISpec", "Errors", "KernelTypes"],
            swiftSettings: strict),
        .target(
            name: "Kernel", dependencies: ["KernelTypes", "CLinux", "CSeccomp", "CCap"], swiftSettings: strict),
        .target(name: "DBusTransport", dependencies: ["DBus", "Kernel", "KernelTypes"], swiftSettings: strict),
        .target(
            name: "Cgroups",
            dependencies: ["CgroupPlanning", "DBusTransport", "DBus", "OCISpec", "Errors", "Kernel", "KernelTypes"],
            swiftSettings: strict),
        .target(
            name: "ContainerRuntime",
            dependencies: [
                "Planning", "CgroupPlanning", "Cgroups", "OCISpec", "JSON", "Errors", "Kernel", "KernelTypes",
            ],
            swiftSettings: strict),
        .target(
            name: "Diagnosis",
            dependencies: [
                "ContainerRuntime", "Planning", "CgroupPlanning", "Cgroups", "OCISpec", "JSON", "Errors", "Kernel",
                "KernelTypes",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "runbox",
            dependencies: [
                "ContainerRuntime", "Diagnosis", "Planning", "OCISpec", "JSON", "Errors", "Kernel", "KernelTypes",
                "CSeal",
            ],
            swiftSettings: strict),

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

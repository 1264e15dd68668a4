// swift-tools-version: 6.2
import PackageDescription

/// A package of its own, because only another package is kept to the public interface of `ContainerRuntime`: targets of
/// runbox's package see its `package` declarations, too. A program elsewhere names a URL and a version instead of a
/// path.
let package = Package(
    name: "HelloContainer",
    dependencies: [.package(name: "runbox", path: "../..")],
    targets: [
        .executableTarget(
            name: "HelloContainer", dependencies: [.product(name: "ContainerRuntime", package: "runbox")],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "Supervisor", dependencies: [.product(name: "ContainerRuntime", package: "runbox")],
            swiftSettings: [.treatAllWarnings(as: .error)]),
    ]
)

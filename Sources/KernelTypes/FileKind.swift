/// What a file is, by st_mode.
package enum FileKind: Sendable, Equatable {
    case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket, unknown

    package var isDevice: Bool { self == .characterDevice || self == .blockDevice }
}

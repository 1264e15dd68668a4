import Testing

@testable import DBus

/// Messages that other implementations wrote, taken down by a socket between them.
enum Recorded {
    /// `busctl call` of systemd 252 to a dbus-daemon.
    static let start = bytes(
        """
        6c010401e000000002000000b600000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64310000000000
        0000030173001200000053746172745472616e7369656e74556e697400000000000002017300200000006f72672e667265656465736b
        746f702e73797374656d64312e4d616e61676572000000000000000006017300180000006f72672e667265656465736b746f702e7379
        7374656d643100000000000000000801670010737361287376296128736128737629290000000c0000006c696d2d74312e73636f7065
        00000000040000006661696c00000000b40000000000000005000000536c696365000173000000000c00000073797374656d2e736c69
        63650000000000000000040000005049447300026175000000000400000067120000090000004d656d6f72794d617800017400000000
        0000000000000002000000000800000044656c65676174650001620001000000000000000b000000446576696365416c6c6f77000561
        2873732900001c000000000000000d0000002f6465762f636861722f313a330000000300000072776d0000000000
        """)

    /// The signal that dbus-daemon 1.14 greets with.
    static let acquired = bytes(
        """
        6c04010109000000020000008d00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000020173001400
        00006f72672e667265656465736b746f702e4442757300000000030173000c0000004e616d6541637175697265640000000006017300
        040000003a312e3000000000080167000173000007017300140000006f72672e667265656465736b746f702e44427573000000000400
        00003a312e3000
        """)

    /// Its answer to a call that failed.
    static let failure = bytes(
        """
        6c0301013a000000030000007500000006017300040000003a312e3000000000040173002c0000006f72672e667265656465736b746f
        702e444275732e4572726f722e537061776e2e4368696c64457869746564000000000501750002000000080167000173000007017300
        140000006f72672e667265656465736b746f702e44427573000000003500000050726f63657373206f72672e667265656465736b746f
        702e73797374656d643120657869746564207769746820737461747573203100
        """)

    /// `gdbus emit` of GLib 2.74.
    static let emitted = bytes(
        """
        6c04010164000000010000004200000001016f00040000002f612f62000000000201730003000000782e790000000000080167000c61
        7b73767d756f67616179710000000000000003017300010000005a000000000000003400000000000000010000006b000861286e7964
        786229001c00000000000000fdff0700000000000000000000000440f7ffffffffffffff0100000005000000020000002f700005617b
        73767d0000000e0000000100000001000000020000000203ffff
        """)

    /// Put together by hand, the big end first.
    static let bigEndian = bytes(
        """
        4204010100000004000000090000003701016f00000000022f610000000000000201730000000003612e620000000000030173000000
        00014300000000000000080167000175000001020304
        """)

    static let all = [start, acquired, failure, emitted, bigEndian]

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.filter { $0 > 32 }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
        }
    }
}

@Suite struct Messages {
    /// What `busctl` was asked to send.
    private var start: Message {
        var message = Message(.call)
        message.flags = 4
        message.serial = 2
        message.path = "/org/freedesktop/systemd1"
        message.interface = "org.freedesktop.systemd1.Manager"
        message.member = "StartTransientUnit"
        message.destination = "org.freedesktop.systemd1"
        let property = TypeCode.structure([.string, .variant])
        let properties: [(String, Value)] = [
            ("Slice", .string("system.slice")), ("PIDs", .array(of: .uint32, [.uint32(4711)])),
            ("MemoryMax", .uint64(33_554_432)), ("Delegate", .boolean(true)),
            (
                "DeviceAllow",
                .array(
                    of: .structure([.string, .string]), [.structure([.string("/dev/char/1:3"), .string("rwm")])])
            ),
        ]
        message.body = [
            .string("lim-t1.scope"), .string("fail"),
            .array(of: property, properties.map { .structure([.string($0.0), .variant($0.1)]) }),
            .array(of: .structure([.string, .array(property)]), []),
        ]
        return message
    }

    @Test func messagesAreWrittenAsOthersWriteThem() throws {
        #expect(try start.encode() == Recorded.start)
    }

    @Test func messagesOfOthersAreRead() throws {
        #expect(try Message(Recorded.start) == start)
        let acquired = try Message(Recorded.acquired)
        #expect(acquired.kind == .signal && acquired.member == "NameAcquired" && acquired.body == [.string(":1.0")])
        #expect(acquired.sender == "org.freedesktop.DBus" && acquired.destination == ":1.0")
        let failure = try Message(Recorded.failure)
        #expect(failure.kind == .failure && failure.replySerial == 2)
        #expect(failure.errorName == "org.freedesktop.DBus.Error.Spawn.ChildExited")
        #expect(failure.body.first?.text?.contains("exited with status 1") == true)
    }

    @Test func everyTypeIsReadAndWritten() throws {
        let emitted = try Message(Recorded.emitted)
        #expect(emitted.interface == "x.y" && emitted.member == "Z" && emitted.path == "/a/b")
        let fields: Value = .structure([.int16(-3), .byte(7), .double(2.5), .int64(-9), .boolean(true)])
        #expect(
            emitted.body == [
                .array(
                    of: .entry(key: .string, value: .variant),
                    [.entry(key: .string("k"), value: .variant(.array(of: fields.type, [fields])))]),
                .uint32(5), .objectPath("/p"), .signature("a{sv}"),
                .array(of: .array(.byte), [.bytes([1]), .bytes([2, 3])]), .uint16(65535),
            ])
        // Fields of the head come in another order here; the body must be the same to the byte.
        let again = try emitted.encode()
        #expect(again.suffix(100) == Recorded.emitted.suffix(100) && again.count == Recorded.emitted.count)
        #expect(try Message(again) == emitted)
    }

    @Test func bigEndianMessagesAreRead() throws {
        let message = try Message(Recorded.bigEndian)
        #expect(message.serial == 9 && message.path == "/a" && message.body == [.uint32(0x0102_0304)])
    }

    @Test func theLengthIsKnownFromTheHead() throws {
        for bytes in Recorded.all { #expect(try Message.length(of: Array(bytes.prefix(16))) == bytes.count) }
    }

    /// Whatever is cut off or changed: an error or another message, never a crash.
    @Test func damagedMessagesAreErrorsAndNoCrash() {
        for bytes in Recorded.all {
            for length in 0..<bytes.count {
                #expect(throws: DBusError.self, "\(length) bytes") { _ = try Message(Array(bytes[..<length])) }
            }
            for index in bytes.indices {
                for value: UInt8 in [0, 1, 0x28, 0x61, 0x7f, 0x80, 0xff] {
                    var changed = bytes
                    changed[index] = value
                    guard let message = try? Message(changed) else { continue }
                    _ = try? message.encode()
                }
            }
        }
    }

    @Test(arguments: [
        // a length beyond the limit, a body without a signature, text without its zero, a gap that is not zero, a
        // boolean 2
        ("length", 7, UInt8(0x7f)), ("fields", 15, 0x7f), ("version", 3, 2), ("order", 0, 0x78), ("kind", 1, 0),
        ("kind", 1, 5),
    ])
    func malformedMessagesAreRefused(what: String, index: Int, value: UInt8) {
        var bytes = Recorded.start
        bytes[index] = value
        #expect(throws: DBusError.self, "\(what)") { _ = try Message(bytes) }
    }

    @Test func valuesThatDBusForbidsAreNotWritten() {
        var message = Message(.signal)
        for wrong: Value in [
            .string("a\0b"), .signature("z"), .structure([]), .array(of: .string, [.uint32(1)]),
            .variant(.signature("(")),
        ] {
            message.body = [wrong]
            #expect(throws: DBusError.self, "\(wrong)") { _ = try message.encode() }
        }
    }

    /// Variants in variants, deeper than the protocol allows.
    @Test func variantsTooDeepAreRefused() throws {
        var value = Value.byte(1)
        for _ in 0..<200 { value = .variant(value) }
        var message = Message(.signal)
        message.body = [value]
        let bytes = try message.encode()
        #expect(throws: DBusError.self) { _ = try Message(bytes) }
    }
}

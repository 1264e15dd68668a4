import Testing

@testable import Criu

/// Protobuf's wire format, and CRIU's messages in it. What is expected was written by the protobuf library of Python
/// for the same messages, and the answers by CRIU 3.17.1.
@Suite struct WireTests {
    @Test(arguments: [
        (UInt64(0), "0800"), (1, "0801"), (127, "087f"), (128, "088001"), (300, "08ac02"),
        (UInt64.max, "08ffffffffffffffffff01"),
    ])
    func numbersAreVarints(_ value: UInt64, _ bytes: String) {
        var writer = WireWriter()
        writer.number(1, value)
        #expect(hex(writer.bytes) == bytes)
        var reader = WireReader(unhex(bytes)[...])
        #expect(reader.next() == WireReader.Field(number: 1, value: .number(value)))
        #expect(reader.next() == nil && !reader.isDamaged)
    }

    @Test func negativeNumbersAreExtended() {
        var writer = WireWriter()
        writer.number(7, Int32(-52))
        #expect(hex(writer.bytes) == "38ccffffffffffffffff01")
        var reader = WireReader(writer.bytes[...])
        #expect(reader.next()?.value.signed == -52)
    }

    @Test(arguments: [
        "08", "0880", "08ffffffffffffffffffff01", "0a05616263", "0b", "0f01", "00", "0a", "0aff01", "0d0102", "0901",
    ])
    func whatIsNoMessageIsDamaged(_ bytes: String) {
        var reader = WireReader(unhex(bytes)[...])
        while reader.next() != nil {}
        #expect(reader.isDamaged)
        #expect(reader.next() == nil)
    }

    @Test func fieldsOfKindsThatNobodyAskedForArePassedOver() {
        var reader = WireReader(unhex("0d010203040901020304050607081001")[...])
        #expect(reader.next()?.value == .other)
        #expect(reader.next()?.value == .other)
        #expect(reader.next() == WireReader.Field(number: 2, value: .number(1)))
    }

    /// Every beginning of an answer, and every answer with one byte changed, is read or refused, and nothing else.
    @Test func damagedAnswersAreNoAnswers() {
        let whole = unhex(Self.notification)
        for count in 0..<whole.count {
            let part = CriuResponse(Array(whole[..<count]))
            #expect(part == nil || part?.notification == nil)
        }
        for index in whole.indices {
            for value in UInt8.min...UInt8.max {
                var bytes = whole
                bytes[index] = value
                _ = CriuResponse(bytes)
            }
        }
    }

    // MARK: Requests

    @Test func theQuestionsForVersionAndFeatures() {
        var version = CriuRequest(.version)
        version.keepsOpen = true
        #expect(hex(version.bytes) == "080a2001")
        var features = CriuRequest(.featureCheck)
        features.keepsOpen = true
        features.features = CriuFeatures(tracksMemory: true, lazyPages: true)
        #expect(hex(features.bytes) == "080920012a0408011001")
        var answer = CriuRequest(.notify)
        answer.isAccepted = false
        #expect(hex(answer.bytes) == "08061800")
    }

    @Test func aCheckpoint() {
        var request = CriuRequest(.dump)
        var options = CriuOptions()
        options.imagesFolder = 5
        options.pid = 4711
        options.leavesRunning = true
        options.establishedTCP = true
        options.logFile = "dump.log"
        options.pageServer = ("10.0.0.2", 7100)
        options.notifies = true
        options.root = "/b/rootfs"
        options.parentImages = "../one"
        options.tracksMemory = true
        options.workFolder = 6
        options.mounts = [CriuOptions.Pair("/data", "/data")]
        options.cgroupMode = .soft
        options.external = ["net[4026532281]:extRootNetNS"]
        options.emptyNamespaces = 0x4000_0000
        options.freezerCgroup = "/sys/fs/cgroup/c"
        options.statusDescriptor = 9
        options.orphanTerminals = true
        options.configFile = "/etc/criu/runbox.conf"
        options.networkLock = .nftables
        request.options = options
        #expect(hex(request.bytes) == Self.dump)
    }

    @Test func aRestore() {
        var request = CriuRequest(.restore)
        var options = CriuOptions()
        options.shellJob = true
        options.notifies = true
        options.cgroupRoot = "/two"
        options.restoresAsSibling = true
        options.inherited = [CriuOptions.Inherited("pipe:[12]", 300)]
        options.cgroupMode = .ignore
        options.joined = [CriuOptions.Pair("uts", "/proc/9/ns/uts")]
        options.lsmProfile = "apparmor:x"
        options.lsmMountContext = "system_u:object_r:c"
        request.options = options
        #expect(hex(request.bytes) == Self.restore)
    }

    // MARK: Answers

    @Test func theVersionAndFeaturesOfARealOne() throws {
        let version = try #require(CriuResponse(unhex(Self.version)))
        #expect(version.isSuccess && !version.isNotification)
        #expect(version.version == CriuVersion(3, 17, 1))
        let features = try #require(CriuResponse(unhex(Self.features)))
        #expect(features.features == CriuFeatures(tracksMemory: true, lazyPages: true))
    }

    @Test func notificationsAndResults() throws {
        let notification = try #require(CriuResponse(unhex(Self.notification)))
        #expect(notification.isNotification)
        #expect(notification.notification == CriuNotification(name: "setup-namespaces", pid: 279))
        #expect(notification.notification?.script == .setupNamespaces)
        #expect(try #require(CriuResponse(unhex("08021001220308ac02"))).restored == 300)
        let failed = try #require(CriuResponse(unhex("0801100038ccffffffffffffffff014a026e6f")))
        #expect(!failed.isSuccess && failed.errorNumber == -52 && failed.errorMessage == "no")
    }

    @Test func versionsAreInOrder() {
        #expect(CriuVersion(3, 17, 1) > CriuVersion(3, 17))
        #expect(CriuVersion(3, 9) < CriuVersion(3, 11))
        #expect(CriuVersion(4, 0) > CriuVersion(3, 19))
        #expect(CriuVersion(4, 1, 1).description == "4.1.1" && CriuVersion(4, 0).description == "4.0")
    }

    // MARK: Bytes

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func unhex(_ text: String) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(String(digits[$0...($0 + 1)]), radix: 16) ?? 0 }
    }

    private static let dump =
        "080112ac01080510e724180128014804520864756d702e6c6f675a0d0a0831302e302e302e3210bc3760016a092f622f726f6f74667372062e2e2f6f6e657801880106ba010e0a052f6461746112052f64617461900203aa021c6e65745b343032363533323238315d3a657874526f6f744e65744e53b0028080808004e202102f7379732f66732f6367726f75702f638803099003019a03152f6574632f637269752f72756e626f782e636f6e66800402"
    private static let restore =
        "0802126c08ffffffffffffffffff01380148046001ca010612042f74776fd00101da010e0a09706970653a5b31325d10ac02900200ba02150a03757473120e2f70726f632f392f6e732f757473aa030a61707061726d6f723a78fa031373797374656d5f753a6f626a6563745f723a63"
    private static let notification = "080610012a150a1073657475702d6e616d65737061636573109702"
    private static let version = "080a10015206080310112001"
    private static let features = "080910014206080110011800"
}

import DBus
import Testing

@testable import CgroupPlanning

@Suite struct PropertyTexts {
    @Test(arguments: [
        ("true", Value.boolean(true)), (" false ", .boolean(false)), ("5", .int32(5)), ("-7", .int32(-7)),
        ("uint64 18446744073709551615", .uint64(.max)), ("byte 0xff", .byte(255)), ("int16 -010", .int16(-8)),
        ("2.5", .double(2.5)), ("double 3", .double(3)), ("'it''", nil), ("'a b'", .string("a b")),
        (#""say \"x\"""#, .string(#"say "x""#)), (#"'a\tb\u00e9\'c'"#, .string("a\tb\u{e9}'c")),
        ("objectpath '/a'", .objectPath("/a")), ("signature 'a{sv}'", .signature("a{sv}")),
        ("['a', 'b']", .array(of: .string, [.string("a"), .string("b")])), ("@as []", .array(of: .string, [])),
        ("[1, 2.5]", .array(of: .double, [.double(1), .double(2.5)])),
        ("[1, uint64 2]", .array(of: .uint64, [.uint64(1), .uint64(2)])),
        ("@au [1,2,]", .array(of: .uint32, [.uint32(1), .uint32(2)])),
        ("('x', uint32 1)", .structure([.string("x"), .uint32(1)])), ("(1,)", .structure([.int32(1)])),
        (
            "[('/dev/x', uint64 3)]",
            .array(of: .structure([.string, .uint64]), [.structure([.string("/dev/x"), .uint64(3)])])
        ),
        (
            "{'k': <1>}",
            .array(of: .entry(key: .string, value: .variant), [.entry(key: .string("k"), value: .variant(.int32(1)))])
        ),
        ("b'ab'", .bytes([97, 98, 0])), ("<'x'>", .variant(.string("x"))),
        ("", nil), ("[]", nil), ("uint32 -1", nil), ("byte 256", nil), ("1 2", nil), ("'open", nil), ("[1", nil),
        ("()", nil), ("just 1", nil), ("nothing", nil), ("@z 1", nil), ("@s 1", nil), ("['a', 1]", nil), ("tru", nil),
        ("{1 2}", nil), ("{<1>: 2}", nil), ("<1", nil), (#"'\u12'"#, nil), (#"'\u0000'"#, nil), ("0x", nil),
        ("--1", nil),
        ("0x-1", nil), ("uint32 'x'", nil), ("2147483648", nil), (String(repeating: "[", count: 40), nil),
    ])
    func aPropertysTextBecomesItsValue(text: String, value: Value?) throws {
        guard let value else {
            #expect(throws: PropertyText.Mistake.self) { _ = try PropertyText.parse(text) }
            return
        }
        #expect(try PropertyText.parse(text) == value)
    }

    @Test(arguments: [
        ("TimeoutStopSec", "uint64 5", UnitProperty("TimeoutStopUSec", .uint64(5_000_000))),
        ("TimeoutStopSec", "5", UnitProperty("TimeoutStopUSec", .uint64(5_000_000))),
        ("TimeoutStopSec", "1.25", UnitProperty("TimeoutStopUSec", .uint64(1_250_000))),
        ("RuntimeMaxSec", "uint64 18446744073709551615", UnitProperty("RuntimeMaxUSec", .uint64(.max))),
        ("TimeoutStopUSec", "uint64 5", UnitProperty("TimeoutStopUSec", .uint64(5))),
        ("CPUQuotaPerSecUSec", "uint64 5", UnitProperty("CPUQuotaPerSecUSec", .uint64(5))),
        ("CollectMode", "'inactive-or-failed'", UnitProperty("CollectMode", .string("inactive-or-failed"))),
        ("After", "['a.service']", UnitProperty("After", .array(of: .string, [.string("a.service")]))),
        ("TimeoutStopSec", "'5'", nil), ("TimeoutStopSec", "-5", nil),
        ("TimeoutStopSec", "uint64 18446744073709551614", nil),
        ("", "1", nil), ("A-B", "1", nil), ("a.b", "1", nil), ("é", "1", nil), ("PIDs", "[uint32 1]", nil),
        ("Slice", "'x.slice'", nil), ("Delegate", "false", nil), ("DeviceAllow", "@a(ss) []", nil),
    ])
    func annotationsBecomeUnitProperties(name: String, text: String, property: UnitProperty?) throws {
        guard let property else {
            #expect(throws: PropertyText.Mistake.self) { _ = try UnitProperty.read(name, text) }
            return
        }
        #expect(try UnitProperty.read(name, text) == property)
    }
}

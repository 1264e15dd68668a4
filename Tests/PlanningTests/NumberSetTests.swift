import CgroupPlanning
import OCISpec
import Testing

@testable import Planning

@Suite struct NumberSetTests {
    @Test(arguments: [
        ("0", [1], "0"), ("0-3,7", [0b1000_1111], "0-3,7"), ("63", [1 << 63], "63"), ("64", [0, 1], "64"),
        ("62-65", [3 << 62, 3], "62-65"), ("3,1,2", [0b1110], "1-3"), (" 0 - 1 , 3 ", [0b1011], "0-1,3"),
        (",1,,2,", [0b110], "1-2"), ("5-5", [1 << 5], "5"), ("0,0-1", [3], "0-1"),
    ])
    func listsOfNumbersAreRead(list: String, words: [UInt64], shortest: String) throws {
        let set = try NumberSet(list, of: .cpus(below: 8192))
        #expect(set.words == words)
        #expect(set.description == shortest)
    }

    @Test(arguments: [
        ("", "names no CPU"), (" , ", "names no CPU"), ("3-1", "the range 3-1 runs backwards"),
        ("8192", "names CPU 8192; Linux counts to 8191"),
        ("0-4294967295", "names CPU 4294967295; Linux counts to 8191"),
        ("a", "expected a list of numbers such as \"0-3,7\", found \"a\""),
        ("-1", "expected a list of numbers such as \"0-3,7\", found \"-1\""),
        ("1-", "expected a list of numbers such as \"0-3,7\", found \"1-\""),
        ("1-2-3", "expected a list of numbers such as \"0-3,7\", found \"1-2-3\""),
        ("+1", "expected a list of numbers such as \"0-3,7\", found \"+1\""),
        ("1 2", "expected a list of numbers such as \"0-3,7\", found \"1 2\""),
        ("0x1", "expected a list of numbers such as \"0-3,7\", found \"0x1\""),
        (
            "99999999999999999999",
            "expected a list of numbers such as \"0-3,7\", found \"99999999999999999999\""
        ),
    ])
    func malformedListsAreRefused(list: String, reason: String) {
        #expect(throws: NumberSet.Mistake(reason: reason)) { try NumberSet(list, of: .cpus(below: 8192)) }
    }
}

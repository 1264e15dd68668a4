import Testing

@testable import ContainerRuntime

@Suite struct ProcessTableTests {
    private static let table = """
        UID        PID  PPID CMD
        root         1     0 init
        root        17     1 sh -c 1 17 170
        root       170    17 sleep 17
        root       171     x

        """

    @Test(
        arguments: [
            ([17], ["root        17     1 sh -c 1 17 170"]),
            ([1, 170], ["root         1     0 init", "root       170    17 sleep 17"]),
            ([], []), ([0, 7, 1700], []),
        ] as [([Int32], [String])])
    func onlyTheContainersRowsAreKept(processes: [Int32], rows: [String]) {
        let header = "UID        PID  PPID CMD"
        #expect(ProcessTable.filter(Self.table, processes) == ([header] + rows).map { "\($0)\n" }.joined())
    }

    @Test(arguments: ["", "\n\n", "UID PPID CMD\nroot 17 x\n", "UID TPID PIDS\n", "pid\n17\n"])
    func aTableWithoutTheColumnIsRefused(text: String) { #expect(ProcessTable.filter(text, [17]) == nil) }

    @Test func rowsThatAreTooShortOrNoNumberAreSkipped() {
        #expect(ProcessTable.filter("CMD X PID\nx\nx y z\nx y 5\n", [5]) == "CMD X PID\nx y 5\n")
    }
}

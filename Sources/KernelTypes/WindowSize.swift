/// Rows and columns of a terminal, in characters.
package struct WindowSize: Sendable, Equatable {
    package let rows: UInt16
    package let columns: UInt16
    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

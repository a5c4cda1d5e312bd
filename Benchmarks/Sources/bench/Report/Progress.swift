import Glibc

/// Word of progress on standard error: standard output is the report alone.
enum Progress {
    static func say(_ text: String) {
        let line = Array("… \(text)\n".utf8)
        _ = write(2, line, line.count)
    }
}

/// Every bound that a request, a row or a queue has, with the reason for its size.
package enum Limits {
    /// A request body by default: a WooCommerce order is 2 to 6 KiB, so 1 MiB holds some thousands of lines.
    package static let bodyBytes = 1 << 20
    /// The most that an operator may allow for a body.
    package static let bodyBytesMost = 10 << 20
    /// Nesting of JSON: deeper than any known order, and far from the end of a thread's stack.
    package static let jsonDepth = 64
    /// Lines of one order. Stores split above some hundreds; 5,000 still has to land.
    package static let orderLines = 10_000
    /// Characters of any one text that is kept in a column.
    package static let textCharacters = 4096
    /// Rows of one page of a list.
    package static let pageRows = 100
    /// Rows of a list when the caller names no number.
    package static let pageRowsDefault = 50
    /// Rows of one page of the event feed.
    package static let feedRows = 1000
    /// Active subscriptions of one tenant (seed 003's default).
    package static let subscriptions = 25
    /// A subscriber's answer is kept up to here; the rest is read and thrown away.
    package static let responseBodyBytes = 16 << 10
}

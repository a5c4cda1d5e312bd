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
    /// Characters of an address that is kept for others to open; browsers and feeds stop near it.
    package static let addressCharacters = 2048
    /// Variants of one product: Shopify's own bound.
    package static let productVariants = 2048
    /// Variants that an event of a product tells of, which keeps it near ten kilobytes.
    package static let eventVariants = 100
    /// Option names of one product. Shopify takes three, other stores some more.
    package static let productOptions = 10
    package static let productTags = 250
    package static let productAttributes = 100
    package static let productMedia = 250
    /// A thousand tonnes.
    package static let weightGrams: Int64 = 1_000_000_000
    /// Categories of one organisation: Google's whole taxonomy has six thousand.
    package static let categories = 10_000
    /// Levels of the tree: Google's has seven.
    package static let categoryDepth = 16
    /// Products of a collection that is listed by hand, each of which is an id in one body.
    package static let collectionProducts = 10_000
    package static let collectionConditions = 50
    /// The file of an import by default: a million rows of a kilobyte.
    package static let importBytes = 1 << 30
    /// The most that an operator may allow for the file of an import.
    package static let importBytesMost = 64 << 30
    /// One record of a CSV file, or one line of JSON: a product with all of its variants fits.
    package static let importRecordBytes = 2 << 20
    package static let customerTags = 250
    package static let customerAddresses = 50
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

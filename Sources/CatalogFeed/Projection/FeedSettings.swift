import Commerce
import Kernel

/// What an organisation says of itself as a seller: nothing in the catalogue tells it.
package struct FeedSettings: Sendable, Equatable {
    package var sellerName: String?
    package var sellerURL: String?
    /// Where a product without an address of its own is found: an https URL with `{handle}` or `{product_id}` in it.
    package var productURL: String?
    /// Two letters of ISO 3166-1.
    package var country: String?

    package init(
        sellerName: String? = nil, sellerURL: String? = nil, productURL: String? = nil, country: String? = nil
    ) {
        self.sellerName = sellerName
        self.sellerURL = sellerURL
        self.productURL = productURL
        self.country = country
    }

    /// Reads what a caller sets; fields that are left out are emptied.
    package init(_ fields: FieldReader) {
        sellerName = fields.string("seller_name", upTo: FeedLimits.brand).map { PlainText.line($0) }
        if sellerName?.isEmpty == true { fields.fault("seller_name", "must not be blank") }
        sellerURL = fields.string("seller_url", upTo: 2000)
        if let url = sellerURL, !PublicAddress.isAbsolute(url) { fields.fault("seller_url", "must be an https URL") }
        productURL = fields.string("product_url", upTo: 2000)
        if let url = productURL {
            let isTemplate = url.contains("{handle}") || url.contains("{product_id}")
            if !isTemplate { fields.fault("product_url", "must have {handle} or {product_id} in it") }
            if !PublicAddress.isAbsolute(FeedSettings.filled(url, handle: "h", id: .zero)) {
                fields.fault("product_url", "must be an https URL")
            }
        }
        country = fields.string("country", upTo: 60)
        if let country, !Country.isKnown(country) {
            fields.fault("country", "\"\(country)\" is not a country code of two capital letters of ISO 3166-1")
        }
    }

    /// The address of a product that has none of its own; nil when the template asks for a handle that is missing.
    func address(handle: String?, id: ProductID) -> String? {
        guard let productURL else { return nil }
        if productURL.contains("{handle}"), handle?.isEmpty ?? true { return nil }
        return FeedSettings.filled(productURL, handle: handle ?? "", id: id)
    }

    private static func filled(_ template: String, handle: String, id: ProductID) -> String {
        template.split(separator: "{handle}", omittingEmptySubsequences: false)
            .joined(separator: PublicAddress.escaped(handle))
            .split(separator: "{product_id}", omittingEmptySubsequences: false).joined(separator: id.description)
    }
}

/// Addresses that strangers are told.
package enum PublicAddress {
    /// Whether it is an absolute https URL of plain ASCII without a user's name in it.
    package static func isAbsolute(_ text: String) -> Bool {
        guard text.hasPrefix("https://"), text.utf8.count <= 2000 else { return false }
        let rest = text.utf8.dropFirst(8)
        let isPlain = rest.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
                && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "}")
                && $0 != UInt8(ascii: "^") && $0 != UInt8(ascii: "`") && $0 != UInt8(ascii: "|")
        }
        let host = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        return isPlain && !host.isEmpty && !host.contains(UInt8(ascii: "@")) && host.first != UInt8(ascii: ":")
    }

    /// The address with its non-ASCII letters and spaces percent-encoded; nil when it is no https URL even so.
    package static func normalised(_ text: String) -> String? {
        let encoded = isAbsolute(text) ? text : percentEncoded(text) { $0 > 0x20 && $0 < 0x7F }
        return isAbsolute(encoded) ? encoded : nil
    }

    /// A text as one segment of a path.
    static func escaped(_ text: String) -> String {
        percentEncoded(text) {
            (97...122).contains($0 | 0x20) || (48...57).contains($0) || [45, 46, 95, 126].contains($0)
        }
    }

    private static func percentEncoded(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) { bytes.append(byte) } else { bytes += [37, hexCapital(byte >> 4), hexCapital(byte & 15)] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexCapital(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 55 + value }
}

import Kernel

/// What a caller gives for a new customer. The kind stays for good.
package struct NewCustomer: Sendable {
    let kind: Customer.Kind
    let status: Customer.Status
    let change: CustomerChange

    package init(_ fields: FieldReader) {
        kind = fields.choice("type") ?? .individual
        status = fields.choice("status") ?? .active
        change = CustomerChange(fields)
        if fields.value("type") == nil { fields.fault("type", "is required") }
        if kind == .business, fields.value("company_name") == nil {
            fields.fault("company_name", "is required for a business")
        }
        let names = ["first_name", "last_name", "email"]
        if kind == .individual, names.allSatisfy({ fields.value($0) == nil }) {
            fields.fault("email", "or a name is required")
        }
    }
}

/// What a caller says of a customer: null empties a field, a missing one stays; lists are replaced.
package struct CustomerChange: Sendable {
    let firstName: FieldChange<String>
    let lastName: FieldChange<String>
    let companyName: FieldChange<String>
    let email: FieldChange<String>
    let phone: FieldChange<String>
    let notes: FieldChange<String>
    let lifetimeValue: FieldChange<String>
    let lifetimeCurrency: Currency?
    let tags: FieldChange<[String]>
    let addresses: FieldChange<[CustomerDetails.Address]>

    package init(_ fields: FieldReader) {
        firstName = fields.textChange("first_name", upTo: 200)
        lastName = fields.textChange("last_name", upTo: 200)
        companyName = fields.textChange("company_name", upTo: 300)
        email = fields.change("email") { Self.email(fields, $0) }
        phone = fields.change("phone") { Self.phone(fields, $0) }
        notes = fields.change("notes") { fields.string($0, upTo: 20_000) }
        let currency = fields.currency("lifetime_currency")
        lifetimeCurrency = currency
        let value = fields.change("lifetime_value") { name in
            let digits = fields.value(name)?.decimalText
            if digits == nil { fields.fault(name, "must be a number") }
            return digits
        }
        // An amount of an unknown currency would only add a second fault that follows from the first.
        lifetimeValue = currency == nil && fields.value("lifetime_currency") != nil ? .keep : value
        if currency != nil, fields.value("lifetime_value") == nil {
            fields.fault("lifetime_value", "is required beside a currency")
        }
        tags = fields.change("tags") { ProductChange.names(fields, $0, upTo: Limits.customerTags) }
        addresses = fields.change("addresses") { name in
            fields.objects(name, upTo: Limits.customerAddresses) { Self.address($0) }
        }
    }

    func applied(to old: Customer) throws -> Customer {
        var new = old
        new.firstName = firstName.applied(to: old.firstName)
        new.lastName = lastName.applied(to: old.lastName)
        new.companyName = companyName.applied(to: old.companyName)
        new.email = email.applied(to: old.email)
        new.phone = phone.applied(to: old.phone)
        new.notes = notes.applied(to: old.notes)
        if old.kind == .business, new.companyName == nil {
            throw InvalidDocument(pointer: "/company_name", detail: "is required for a business")
        }
        switch lifetimeValue {
        case .keep: break
        case .clear: new.lifetimeValue = nil
        case .set(let digits):
            guard let currency = lifetimeCurrency ?? old.lifetimeValue?.currency else {
                throw InvalidDocument(pointer: "/lifetime_currency", detail: "is required beside an amount")
            }
            do throws(MoneyError) { new.lifetimeValue = try Money(digits, in: currency) } catch {
                throw InvalidDocument(pointer: "/lifetime_value", detail: error.description)
            }
        }
        if tags != .keep || addresses != .keep {
            var details = try CustomerDetails(kept: old.keptDetails)
            details.tags = tags.applied(to: details.tags) ?? []
            details.addresses = addresses.applied(to: details.addresses) ?? []
            new.keptDetails = details.kept
        }
        return new
    }

    // MARK: Reading

    /// Only what every address has: who it reaches is for mail to find out.
    static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    private static func email(_ fields: FieldReader, _ name: String) -> String? {
        guard let text = fields.string(name, upTo: 254)?.trimmed else { return nil }
        if !isEmail(text) { fields.fault(name, "must be an e-mail address") }
        return text
    }

    private static func phone(_ fields: FieldReader, _ name: String) -> String? {
        guard let text = fields.string(name, upTo: 40)?.trimmed else { return nil }
        if !text.contains(where: \.isNumber) || !text.allSatisfy({ $0.isNumber || "+-()/. x#".contains($0) }) {
            fields.fault(name, "must be a telephone number")
        }
        return text
    }

    private static func address(_ fields: FieldReader) -> CustomerDetails.Address {
        let country = fields.requiredString("country", upTo: 60)
        if !country.isEmpty, !Country.isKnown(country) {
            fields.fault("country", "\"\(country)\" is not a country code of two letters of ISO 3166-1")
        }
        enum Use: String, CaseIterable { case billing, shipping }
        return CustomerDetails.Address(
            kind: fields.choice("type", of: Use.self)?.rawValue, name: fields.string("name", upTo: 300),
            line1: fields.string("line1", upTo: 300), line2: fields.string("line2", upTo: 300),
            city: fields.string("city", upTo: 200), region: fields.string("region", upTo: 200),
            postalCode: fields.string("postal_code", upTo: 40), country: country)
    }
}

/// Who is to look after a customer; null for nobody.
package struct CustomerAssignment: Sendable {
    let user: UserID?

    package init(_ fields: FieldReader) {
        user = fields.id("user_id")
        if !fields.isPresent("user_id") { fields.fault("user_id", "is required; null is nobody") }
    }
}

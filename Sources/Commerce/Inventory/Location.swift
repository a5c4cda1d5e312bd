import Events
import Kernel

package typealias LocationID = ID<Location>

/// A place where stock lies. Each organisation has one default, which whatever names no location means.
package struct Location: Sendable, Equatable {
    package let id: LocationID
    package let scope: Scope
    package var name: String
    package var isDefault: Bool
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    /// What the default location is called until somebody gives it a name.
    static let defaultName = "Default"
}

/// What a caller gives for a new location.
package struct NewLocation: Sendable {
    package let name: String
    package let isDefault: Bool

    package init(_ fields: FieldReader) {
        name = fields.requiredString("name", upTo: 200)
        isDefault = fields.bool("is_default") ?? false
    }
}

/// What a caller changes of a location: fields that are left out stay as they are.
package struct LocationChange: Sendable {
    package let name: String?
    /// True makes it the default in place of the one before. There always is one, so it can't be taken away.
    package let isDefault: Bool?

    package init(_ fields: FieldReader) {
        name = fields.isPresent("name") ? fields.requiredString("name", upTo: 200) : nil
        isDefault = fields.bool("is_default")
        if isDefault == false { fields.fault("is_default", "can't be taken away; make another location the default") }
    }
}

import Events
import Kernel
import Storage

/// What callers can do with locations. They raise no events: no level changes by them.
package struct LocationService: Sendable {
    private let database: any Database
    private let ids: IDGenerator
    private let time: TimeSource

    package init(database: any Database, ids: IDGenerator, time: TimeSource) {
        self.database = database
        self.ids = ids
        self.time = time
    }

    /// A page of an organisation's locations by their ids.
    package func list(scope: Scope, after: LocationID?, limit: Int) async throws -> [Location] {
        try await database.read { try LocationStore.list(scope: scope, after: after, limit: limit, in: $0) }
    }

    /// One location; those of other owners are not found, as if they did not exist.
    package func require(_ id: LocationID, scope: Scope) async throws -> Location {
        let found = try await database.read { try LocationStore.fetch(id, scope: scope, in: $0) }
        guard let found else { throw Refusal.notFound("location") }
        return found
    }

    /// Saves a location. An organisation's first one is its default, whatever was asked for.
    package func create(_ new: NewLocation, scope: Scope) async throws -> Location {
        let (id, now): (LocationID, Timestamp) = (ids.next(), time.now())
        return try await againAfterDuplicate {
            try await database.write { transaction in
                let isFirst = try LocationStore.list(scope: scope, after: nil, limit: 1, in: transaction).isEmpty
                if new.isDefault, !isFirst { try LocationStore.clearDefault(of: scope, now: now, in: transaction) }
                let location = Location(
                    id: id, scope: scope, name: new.name, isDefault: new.isDefault || isFirst, version: 1,
                    createdAt: now, updatedAt: now)
                try LocationStore.insert(location, in: transaction)
                return location
            }
        }
    }

    /// Sets the fields that are given. Lines of orders keep the location that their stock was taken from.
    package func change(
        _ id: LocationID, _ change: LocationChange, ifMatch: VersionMatch = .any, scope: Scope
    ) async throws -> Location {
        let now = time.now()
        return try await againAfterDuplicate {
            try await database.write { transaction in
                guard let old = try LocationStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
                    throw Refusal.notFound("location")
                }
                try ifMatch.require(old.version)
                var location = old
                location.name = change.name ?? old.name
                location.isDefault = change.isDefault ?? old.isDefault
                if location == old { return old }
                if location.isDefault, !old.isDefault {
                    try LocationStore.clearDefault(of: scope, now: now, in: transaction)
                }
                location.version += 1
                location.updatedAt = now
                try LocationStore.update(location, in: transaction)
                return location
            }
        }
    }
}

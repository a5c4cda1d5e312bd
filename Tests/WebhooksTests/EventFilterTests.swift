import Kernel
import Testing

@testable import Webhooks

@Suite("Which events a filter takes")
struct EventFilterTests {
    private static let payload = #"""
        {"total": 149.90, "currency": "EUR", "channel": null, "paid": true, "tags": ["new", "gift"], "empty": [],
         "note": "Caf\u00e9", "big": 1e400000, "lines": [{"sku": "SHIRT-M", "quantity": 2},
         {"sku": "CUP-1", "quantity": 10, "options": [{"name": "size"}, {"name": "colour"}]}],
         "customer": {"id": "c1", "since": "2024-12-04T15:32:07.412Z"}}
        """#

    private func read(_ filter: String) throws -> EventFilter {
        try EventFilter.read(JSONValue(parsing: Array(filter.utf8)))
    }

    private func faults(_ filter: String) throws -> [FilterFaults.Fault] {
        do {
            _ = try read(filter)
            return []
        } catch let error as FilterFaults {
            return error.faults
        }
    }

    @Test(
        "An event is taken when all conditions hold",
        arguments: [
            #"{"currency": "EUR"}"#, #"{"currency": {"$eq": "EUR"}}"#, #"{"paid": true}"#, #"{"channel": null}"#,
            #"{"total": 149.9}"#, #"{"total": {"$eq": 1499e-1}}"#, #"{"total": {"$gt": 149.89999999999999999999}}"#,
            #"{"total": {"$gte": 149.90, "$lt": 150}}"#, #"{"total": {"$lte": 1.499e2}}"#, #"{"total": {"$gt": -5}}"#,
            #"{"currency": {"$ne": "USD"}}"#, #"{"currency": {"$in": ["USD", "EUR"]}}"#,
            #"{"currency": {"$nin": ["USD", 5, null]}}"#, #"{"absent": {"$ne": "x"}}"#, #"{"absent": {"$nin": [1]}}"#,
            #"{"absent": {"$exists": false}}"#, #"{"channel": {"$exists": true}}"#, #"{"empty": {"$exists": true}}"#,
            #"{"tags": "gift"}"#, #"{"tags": {"$in": ["x", "new"]}}"#, #"{"lines.sku": {"$prefix": "CUP-"}}"#,
            #"{"lines.quantity": {"$gt": 9}}"#, #"{"lines.options.name": "colour"}"#, #"{"customer.id": "c1"}"#,
            #"{"customer": {"$exists": true}}"#, #"{"note": "Café"}"#, #"{"note": {"$prefix": "Caf"}}"#,
            #"{"customer.since": {"$gte": "2024-12-04", "$lt": "2024-12-05"}}"#, #"{"note": {"$gt": "Cafz"}}"#,
            #"{"$or": [{"currency": "USD"}, {"total": {"$gt": 100}}]}"#,
            #"{"$and": [{"currency": "EUR"}, {"paid": true}], "tags": "new"}"#, #"{"$not": {"currency": "USD"}}"#,
            #"{"currency": {"$not": {"$prefix": "U"}}}"#, #"{"$not": {"$or": [{"paid": false}, {"total": 1}]}}"#,
        ])
    func taken(filter: String) throws {
        #expect(try read(filter).matches(payload: Array(Self.payload.utf8)))
    }

    @Test(
        "It is refused when one of them does not",
        arguments: [
            #"{"currency": "USD"}"#, #"{"currency": "eur"}"#, #"{"currency": "EUR", "paid": false}"#,
            #"{"absent": null}"#, #"{"absent": {"$exists": true}}"#, #"{"absent": {"$gt": 1}}"#, #"{"total": "149.9"}"#,
            #"{"total": {"$gt": "100"}}"#, #"{"currency": {"$gt": 5}}"#, #"{"paid": 1}"#, #"{"paid": "true"}"#,
            #"{"channel": {"$ne": null}}"#, #"{"tags": {"$ne": "gift"}}"#, #"{"tags": {"$nin": ["gift"]}}"#,
            #"{"lines.sku": "SHIRT"}"#, #"{"lines.none": {"$exists": true}}"#, #"{"empty.x": {"$exists": true}}"#,
            #"{"customer": "c1"}"#, #"{"currency.code": "EUR"}"#, #"{"total": {"$gt": 149.9}}"#,
            #"{"total": {"$gte": 149.9000000000000000000000001}}"#, #"{"big": {"$gt": 0}}"#, #"{"note": "Cafe"}"#,
            #"{"note": "Cafe\u0301"}"#, #"{"currency": {"$prefix": "EURO"}}"#, #"{"total": {"$prefix": "1"}}"#,
            #"{"$or": [{"currency": "USD"}, {"total": {"$gt": 1000}}]}"#, #"{"$not": {"currency": "EUR"}}"#,
            #"{"$and": [{"currency": "EUR"}, {"paid": false}]}"#, #"{"empty": "x"}"#,
        ])
    func refused(filter: String) throws {
        #expect(try !read(filter).matches(payload: Array(Self.payload.utf8)))
    }

    @Test("Numbers are compared by their digits, where binary floating point would see no difference")
    func decimals() throws {
        let payload = Array(#"{"n": 9007199254740993, "m": 0.1, "z": -0.0}"#.utf8)
        #expect(try read(#"{"n": {"$gt": 9007199254740992}}"#).matches(payload: payload))
        #expect(try !read(#"{"n": 9007199254740992}"#).matches(payload: payload))
        #expect(try !read(#"{"m": 0.1000000000000000055511151231257827}"#).matches(payload: payload))
        #expect(try read(#"{"z": 0, "m": {"$gt": 0.09, "$lt": 0.11}}"#).matches(payload: payload))
    }

    @Test("What is no JSON object passes no filter", arguments: ["", "[", "5", "[]", "null"])
    func noPayload(payload: String) throws {
        #expect(try !read(#"{"total": 1}"#).matches(payload: Array(payload.utf8)))
    }

    @Test(
        "A fault is told with the path that leads to it",
        arguments: [
            ("[]", "", "an object"), (#""x""#, "", "an object"), ("{}", "", "at least one"),
            (#"{"total": {"$gtt": 5}}"#, "total/$gtt", "no operator"), (#"{"total": {}}"#, "total", "at least one"),
            (#"{"customer": {"id": "c1"}}"#, "customer/id", "path with dots"), (#"{"$nor": [{}]}"#, "$nor", "$and"),
            (#"{"$or": []}"#, "$or", "a list"), (#"{"$or": {"a": 1}}"#, "$or", "a list"),
            (#"{"$or": [5]}"#, "$or/0", "an object"), (#"{"$and": [{"a": [1]}]}"#, "$and/0/a", "an array"),
            (#"{"a": {"$in": 5}}"#, "a/$in", "a list"), (#"{"a": {"$in": []}}"#, "a/$in", "a list"),
            (#"{"a": {"$in": [1, {}]}}"#, "a/$in/1", "an object"), (#"{"a": {"$gt": true}}"#, "a/$gt", "a number"),
            (#"{"a": {"$lt": null}}"#, "a/$lt", "a number"), (#"{"a": {"$prefix": 5}}"#, "a/$prefix", "a text"),
            (#"{"a": {"$exists": "yes"}}"#, "a/$exists", "true or false"), (#"{"a..b": 1}"#, "a..b", "path"),
            (#"{"": 1}"#, "", "path"), (#"{"a.b.c.d.e.f.g.h.i": 1}"#, "a.b.c.d.e.f.g.h.i", "path"),
            (#"{"a": {"$not": 5}, "b": {"$eq": []}}"#, "b/$eq", "an array"), (#"{"$not": 5}"#, "$not", "an object"),
            (#"{"a": 1e999999}"#, "a", "more digits"),
        ])
    func faulty(filter: String, path: String, words: String) throws {
        let found = try faults(filter)
        #expect(found.count == 1)
        #expect(found.first?.path.joined(separator: "/") == path)
        #expect(found.first?.detail.contains(words) == true, "\(found)")
    }

    @Test("Size, depth and number of tests are bounded")
    func bounds() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"$not": "#, count: levels) + #"{"a": 1}"# + String(repeating: "}", count: levels)
        }
        #expect(try faults(nested(EventFilter.depthMost - 1)).isEmpty)
        #expect(try faults(nested(EventFilter.depthMost)).first?.detail.contains("deeper") == true)
        let deep =
            #"{"a": "# + String(repeating: #"{"$not": "#, count: 9) + #"{"$eq": 1}"#
            + String(repeating: "}", count: 9) + "}"
        #expect(try faults(deep).first?.detail.contains("deeper") == true)
        func many(_ count: Int) -> String {
            "{" + (0..<count).map { #""a\#($0)": 1"# }.joined(separator: ", ") + "}"
        }
        #expect(try faults(many(EventFilter.testsMost)).isEmpty)
        #expect(try faults(many(EventFilter.testsMost + 5)).count == 1)
        let long = #"{"a": ""# + String(repeating: "x", count: EventFilter.bytesMost) + #""}"#
        #expect(try faults(long).map(\.path) == [[]])
        func values(_ count: Int) -> String {
            #"{"a": {"$in": [\#((0..<count).map { String($0) }.joined(separator: ", "))]}}"#
        }
        #expect(try faults(values(EventFilter.valuesMost)).isEmpty)
        #expect(try faults(values(EventFilter.valuesMost + 1)).count == 1)
    }

    @Test("A filter that is stored and read again is the same one")
    func stored() throws {
        let filter = try read(#"{"total": {"$gte": 1.50}, "$or": [{"a": "\"x\""}, {"b": null}]}"#)
        let json = String(decoding: JSONWriter.bytes(of: filter.json), as: UTF8.self)
        #expect(try EventFilter(stored: json) == filter)
    }
}

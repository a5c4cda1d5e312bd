/// SQL text as both engines take it, with `$1 $2 …` for its arguments and the tokens that `Dialect` replaces.
///
/// A literal is known by the address of its text, so that finding its prepared form costs no hashing of the SQL.
package struct Statement: Sendable, ExpressibleByStringLiteral {
    package enum Key: Hashable, Sendable {
        case literal(UInt)
        case composed(String)
    }

    package let key: Key
    private let literal: StaticString?
    private let composed: String

    package init(stringLiteral text: StaticString) {
        precondition(text.hasPointerRepresentation, "a statement is longer than one character")
        key = .literal(UInt(bitPattern: text.utf8Start))
        literal = text
        composed = ""
    }

    /// A statement put together at run time. Only fragments from code may go in; values are arguments.
    package init(composed text: String) {
        key = .composed(text)
        literal = nil
        composed = text
    }

    package var text: String { literal?.description ?? composed }
}

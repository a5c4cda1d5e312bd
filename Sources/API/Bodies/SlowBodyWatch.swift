import NIOCore
import Synchronization

/// Thrown into a connection whose body did not arrive in time.
struct SlowBody: Error {}

/// Which bodies are being waited for, and until when. Tickets rise with time, so the oldest stands first.
struct BodyDeadlines: Sendable {
    private var deadlines: [UInt64: NIODeadline] = [:]
    private var lastTicket: UInt64 = 0

    var isEmpty: Bool { deadlines.isEmpty }

    mutating func begin(now: NIODeadline, timeout: TimeAmount) -> UInt64 {
        lastTicket += 1
        deadlines[lastTicket] = now + timeout
        return lastTicket
    }

    mutating func end(_ ticket: UInt64) { deadlines[ticket] = nil }

    /// Takes out the tickets that are over their time.
    mutating func expire(now: NIODeadline) -> [UInt64] {
        let expired = deadlines.filter { $0.value <= now }.map(\.key).sorted()
        for ticket in expired { deadlines[ticket] = nil }
        return expired
    }
}

/// Breaks off request bodies that take too long, with one timer for all of them: a timer a request would cost the
/// quick ones more than reading their body does.
///
/// The error goes in at the connection's head, where NIO's own parse errors come from: reading ends with it, an
/// answer can still be written, and the connection is closed after it.
package final class SlowBodyWatch: Sendable {
    private struct State {
        var deadlines = BodyDeadlines()
        var channels: [UInt64: any Channel] = [:]
        var isSweeping = false
    }

    private let timeout: TimeAmount
    private let interval: TimeAmount
    private let state = Mutex(State())

    /// - Parameter timeout: from the start of reading to the body's last byte.
    package init(timeout: Duration) {
        self.timeout = TimeAmount(timeout)
        // A quarter of the time late at the most, and no busier than four times a second.
        interval = max(TimeAmount.milliseconds(250), .nanoseconds(self.timeout.nanoseconds / 4))
    }

    func begin(_ channel: any Channel) -> UInt64 {
        let (ticket, starts) = state.withLock { state in
            let ticket = state.deadlines.begin(now: .now(), timeout: timeout)
            state.channels[ticket] = channel
            defer { state.isSweeping = true }
            return (ticket, !state.isSweeping)
        }
        if starts { schedule(on: channel.eventLoop) }
        return ticket
    }

    func end(_ ticket: UInt64) {
        state.withLock { state in
            state.deadlines.end(ticket)
            state.channels[ticket] = nil
        }
    }

    private func schedule(on eventLoop: any EventLoop) {
        eventLoop.scheduleTask(in: interval) { self.sweep(on: eventLoop) }
    }

    private func sweep(on eventLoop: any EventLoop) {
        let (late, goesOn) = state.withLock { state in
            let late = state.deadlines.expire(now: .now()).compactMap { state.channels.removeValue(forKey: $0) }
            state.isSweeping = !state.deadlines.isEmpty
            return (late, state.isSweeping)
        }
        for channel in late { channel.pipeline.fireErrorCaught(SlowBody()) }
        if goesOn { schedule(on: eventLoop) }
    }
}

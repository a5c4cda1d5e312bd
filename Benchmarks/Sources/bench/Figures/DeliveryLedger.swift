/// When each order of a run was accepted and when it was delivered. Touched on one event loop only.
final class DeliveryLedger: @unchecked Sendable {
    struct Summary: Sendable {
        var accepted = 0
        var delivered = 0
        var repeated = 0
        var checkedSignatures = 0
        var wrongSignatures = 0
        var latencies = Latencies()
    }

    let capacity: Int
    /// What deliveries are signed with; set before the first request is sent. Empty: signatures are not looked at.
    var secret = ""

    private let run: [UInt8]
    private var acceptedAt: [Int64]
    private var deliveredAt: [Int64]
    private var counts = Summary()

    init(run: String, capacity: Int) {
        self.run = Array(run.utf8)
        self.capacity = capacity
        acceptedAt = Array(repeating: 0, count: capacity)
        deliveredAt = Array(repeating: 0, count: capacity)
    }

    /// May be below zero for a moment: a delivery can overtake the answer to its own request.
    var backlog: Int { counts.accepted - counts.delivered }

    func accepted(_ number: Int, now: Int64) {
        guard number < capacity else { return }
        acceptedAt[number] = now
        counts.accepted += 1
    }

    /// False for a delivery that is none of this run's.
    @discardableResult
    func delivered(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, now: Int64) -> Bool {
        guard let number = OrderRequests.number(in: body, run: run), number < capacity else { return false }
        if deliveredAt[number] != 0 {
            counts.repeated += 1
            return true
        }
        deliveredAt[number] = now
        counts.delivered += 1
        // Every one would cost as much as the server's own signing, on the same two cores.
        guard number % 64 == 0, !secret.isEmpty else { return true }
        counts.checkedSignatures += 1
        if !Sink.isSigned(head: head, body: body, secret: secret) { counts.wrongSignatures += 1 }
        return true
    }

    var summary: Summary {
        var summary = counts
        summary.latencies = latencies(acceptedFrom: 1, to: .max)
        return summary
    }

    /// How long those took that were accepted within some time.
    func latencies(acceptedFrom first: Int64, to last: Int64) -> Latencies {
        var latencies = Latencies()
        for number in 0..<capacity where deliveredAt[number] != 0 {
            if acceptedAt[number] < first || acceptedAt[number] > last { continue }
            latencies.record(nanoseconds: deliveredAt[number] - acceptedAt[number])
        }
        return latencies
    }
}

import NIOCore
import NIOPosix

/// How a run's requests are spaced.
enum Pace {
    /// Each connection sends its next request when its last one is answered.
    case closed
    /// Requests are due at fixed times, whatever became of earlier ones; latency counts from when one was due.
    case open(perSecond: Int)
}

/// What to send, over how many connections and for how long.
struct LoadPlan {
    var port: Int
    var requests: any RequestSource
    var connections = 64
    var pace = Pace.closed
    var warmUp = 1.0
    var seconds: Double
    /// Ends a closed run after so many requests, if that is sooner.
    var limit = Int.max
}

struct LoadOutcome: Sendable {
    /// Answers with a status of 2xx in the measured time, and that time.
    var accepted = 0
    var seconds = 0.0
    /// Requests sent over the whole run, warm-up included.
    var sent = 0
    var refused: [Int: Int] = [:]
    var latencies = Latencies()

    var perSecond: Double { seconds > 0 ? Double(accepted) / seconds : 0 }
}

/// One run of a load: every field is touched on one event loop only, which is also why it may cross tasks.
final class LoadRun: @unchecked Sendable {
    private let plan: LoadPlan
    private let loop: any EventLoop
    private let finished: EventLoopPromise<LoadOutcome>
    private let onAnswer: ((_ number: Int, _ now: Int64) -> Void)?

    private var outcome = LoadOutcome()
    private var lanes: [LoadLane] = []
    private var waiting: [LoadLane] = []
    private var readyLanes = 0
    private var beginsAt: Int64 = 0
    private var measuresFrom: Int64 = 0
    private var endsAt: Int64 = 0
    private var lastAnswerAt: Int64 = 0
    private var hasTimer = false
    private var isFinished = false

    /// - Parameter onAnswer: told of each request answered with 2xx, on the loop.
    init(_ plan: LoadPlan, on loop: any EventLoop, onAnswer: ((_ number: Int, _ now: Int64) -> Void)? = nil) {
        self.plan = plan
        self.loop = loop
        self.onAnswer = onAnswer
        finished = loop.makePromise()
        outcome.latencies.reserve(1 << 18)
    }

    func run() async throws -> LoadOutcome {
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let lane = LoadLane(run: self, requests: self.plan.requests)
                    self.lanes.append(lane)
                    try channel.pipeline.syncOperations.addHandler(lane)
                }
            }
        for _ in 0..<plan.connections {
            bootstrap.connect(host: "127.0.0.1", port: plan.port).whenFailure { self.fail($0) }
        }
        return try await finished.futureResult.get()
    }

    static func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    // MARK: - Told by the lanes

    func becameReady(_: LoadLane) {
        readyLanes += 1
        guard readyLanes == plan.connections else { return }
        beginsAt = LoadRun.now()
        measuresFrom = beginsAt + Int64(plan.warmUp * 1e9)
        endsAt = measuresFrom + Int64(plan.seconds * 1e9)
        for lane in lanes { next(on: lane) }
    }

    func answered(_ lane: LoadLane, status: Int) {
        let now = LoadRun.now()
        if (200..<300).contains(status) {
            recordAnswer(now: now, startedAt: lane.startedAt)
            onAnswer?(lane.number, now)
        } else {
            outcome.refused[status, default: 0] += 1
        }
        next(on: lane)
    }

    func fail(_ error: any Error) {
        guard !isFinished else { return }
        isFinished = true
        finished.fail(error)
        for lane in lanes { lane.close() }
    }

    // MARK: - Pacing

    private func recordAnswer(now: Int64, startedAt: Int64) {
        lastAnswerAt = now
        let isMeasured =
            switch plan.pace {
            case .closed: now >= measuresFrom && now < endsAt
            case .open: startedAt >= measuresFrom
            }
        guard isMeasured else { return }
        outcome.accepted += 1
        outcome.latencies.record(nanoseconds: now - startedAt)
    }

    private func next(on lane: LoadLane) {
        switch plan.pace {
        case .closed:
            let now = LoadRun.now()
            if now < endsAt, outcome.sent < plan.limit {
                lane.send(outcome.sent, startedAt: now)
                outcome.sent += 1
            } else {
                waiting.append(lane)
                if waiting.count == lanes.count { finish() }
            }
        case .open(let perSecond):
            waiting.append(lane)
            sendDue(perSecond: perSecond)
        }
    }

    private func sendDue(perSecond: Int) {
        let total = Int(Double(perSecond) * (plan.warmUp + plan.seconds))
        let now = LoadRun.now()
        while outcome.sent < total, !waiting.isEmpty {
            let dueAt = beginsAt + Int64(outcome.sent) * 1_000_000_000 / Int64(perSecond)
            guard dueAt <= now else {
                arm(at: dueAt, perSecond: perSecond)
                return
            }
            waiting.removeFirst().send(outcome.sent, startedAt: dueAt)
            outcome.sent += 1
        }
        if outcome.sent == total, waiting.count == lanes.count { finish() }
    }

    private func arm(at dueAt: Int64, perSecond: Int) {
        guard !hasTimer else { return }
        hasTimer = true
        loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(dueAt))) {
            self.hasTimer = false
            self.sendDue(perSecond: perSecond)
        }
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        let end = outcome.sent >= plan.limit ? min(lastAnswerAt, endsAt) : endsAt
        outcome.seconds = Double(max(1, end - measuresFrom)) / 1e9
        for lane in lanes { lane.close() }
        finished.succeed(outcome)
    }
}

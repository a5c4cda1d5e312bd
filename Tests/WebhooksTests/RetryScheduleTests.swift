import Kernel
import Testing

@testable import Webhooks

@Suite("Retry schedules as data")
struct RetryScheduleTests {
    private static let created = Timestamp(milliseconds: 1_735_689_600_000)

    /// When attempts are made if each fails at once and nothing is added, in seconds since the first.
    private static func attempts(_ schedule: RetrySchedule) -> [Int64] {
        var (now, times) = (created, [Int64(0)])
        while let due = schedule.nextAttempt(
            afterAttempts: times.count, createdAt: created, now: now, retryAfter: nil, jitter: 0)
        {
            now = due
            times.append((due - created).wholeMilliseconds / 1000)
            if times.count > 100 { break }
        }
        return times
    }

    private func override(_ json: String) throws -> RetryOverride {
        try FieldReader.read(JSONValue(parsing: Array(json.utf8))) { RetryOverride($0) }
    }

    @Test("synq, synthesq, synctec, standard: their attempts are those of the contracts")
    func profiles() throws {
        let settings = TenantSettings()
        func times(_ profile: Profile) -> [Int64] { Self.attempts(profile.schedule(under: settings)) }
        #expect(times(ProfileCatalog.synthesq) == [0, 60, 360, 2160, 9360])
        #expect(
            times(ProfileCatalog.standard)
                == [0, 5, 305, 2105, 9305, 27_305, 63_305, 113_705, 185_705, 272_105])
        #expect(times(ProfileCatalog.synctec).count == 4)
        #expect(times(ProfileCatalog.synctec) == [0, 30, 330, 3330])
        #expect(times(ProfileCatalog.synq).count == 20)
    }

    @Test("max_retry_attempts, backoff_schedule: they are the schedule of synthesq, and of no other profile")
    func settings() {
        var settings = TenantSettings()
        settings.backoffSchedule = [0, 2]
        settings.maxRetryAttempts = 4
        #expect(Self.attempts(ProfileCatalog.synthesq.schedule(under: settings)) == [0, 120, 240, 360])
        settings.maxRetryAttempts = 1
        #expect(Self.attempts(ProfileCatalog.synthesq.schedule(under: settings)) == [0])
        settings.backoffSchedule = [0]
        settings.maxRetryAttempts = 3
        #expect(Self.attempts(ProfileCatalog.synthesq.schedule(under: settings)).count == 3)
        for profile in ProfileCatalog.all where profile.name != "synthesq" {
            #expect(profile.schedule(under: settings) == profile.schedule(under: TenantSettings()))
        }
    }

    @Test("retry: a subscription's own retries take the place of its profile's")
    func overrides() throws {
        let profile = RetrySchedule.standard
        #expect(try Self.attempts(override(#"{"delays_seconds": [1, 10]}"#).applied(to: profile)) == [0, 1, 11])
        #expect(try Self.attempts(override(#"{"max_attempts": 3}"#).applied(to: profile)) == [0, 5, 305])
        #expect(try Self.attempts(override(#"{"max_attempts": 1}"#).applied(to: profile)) == [0])
        #expect(
            try Self.attempts(
                override(#"{"delays_seconds": [1, 10], "max_attempts": 4}"#).applied(to: profile)) == [0, 1, 11, 21])
        #expect(
            try Self.attempts(
                override(#"{"first_seconds": 2, "factor": 2, "longest_seconds": 8, "window_seconds": 60}"#)
                    .applied(to: profile)) == [0, 2, 6, 14, 22, 30, 38, 46, 54])
        #expect(
            try override(#"{"factor": 3}"#).applied(to: profile)
                == RetrySchedule(
                    .growing(first: .seconds(5), factor: 3, longest: .seconds(21_600)), attempts: 50,
                    window: .seconds(259_200)))
        #expect(try override("{}").applied(to: profile) == profile)
    }

    @Test("Every schedule that can be asked for ends")
    func ends() throws {
        for json in [
            #"{"factor": 1, "first_seconds": 1}"#, #"{"longest_seconds": 1, "first_seconds": 1}"#,
            #"{"delays_seconds": [86400]}"#, #"{"window_seconds": 604800}"#,
        ] {
            let schedule = try override(json).applied(to: .standard)
            #expect(Self.attempts(schedule).count <= RetrySchedule.attemptsMost)
            let wanted = try override(json)
            let stored = String(decoding: JSONWriter.object { wanted.write(&$0) }, as: UTF8.self)
            #expect(try RetryOverride(stored: stored) == wanted)
        }
    }

    @Test("A short table does not keep an endpoint from asking for an hour")
    func retryAfter() {
        let schedule = RetrySchedule(table: [.seconds(5)])
        for (asked, seconds) in [(1, 5), (60, 60), (3600, 3600), (86_400, 3600)] {
            let due = schedule.nextAttempt(
                afterAttempts: 1, createdAt: Self.created, now: Self.created, retryAfter: .seconds(asked), jitter: 0)
            #expect(due == Self.created + .seconds(seconds))
        }
    }

    @Test(
        "What can't be a schedule is refused at its place",
        arguments: [
            (#"{"delays_seconds": []}"#, "/delays_seconds"), (#"{"delays_seconds": 5}"#, "/delays_seconds"),
            (#"{"delays_seconds": [0]}"#, "/delays_seconds/0"),
            (#"{"delays_seconds": [1, 86401]}"#, "/delays_seconds/1"),
            (#"{"delays_seconds": [1.5]}"#, "/delays_seconds/0"), (#"{"max_attempts": 0}"#, "/max_attempts"),
            (#"{"max_attempts": 51}"#, "/max_attempts"), (#"{"factor": 0}"#, "/factor"),
            (#"{"first_seconds": 0}"#, "/first_seconds"), (#"{"window_seconds": 59}"#, "/window_seconds"),
            (#"{"first_seconds": 10, "longest_seconds": 5}"#, "/longest_seconds"),
            (#"{"delays_seconds": [1], "factor": 2}"#, "/delays_seconds"), (#"{"delay": 1}"#, "/delay"),
        ])
    func faulty(json: String, pointer: String) throws {
        do {
            _ = try override(json)
            Issue.record("taken")
        } catch let error as InvalidDocument {
            #expect(error.faults.map(\.pointer) == [pointer])
        }
    }
}

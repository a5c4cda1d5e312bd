import CoreMetrics
import Synchronization

/// Keeps what swift-metrics measures and writes it as Prometheus text (exposition format 0.0.4).
///
/// Labels are bounded: a family with too many series puts all further ones into one, or a caller who can choose a
/// label could fill the memory.
package final class PrometheusRegistry: MetricsFactory {
    private enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private struct Family {
        let kind: Kind
        var series: [String: any PrometheusSeries] = [:]
    }

    private static let overflow = "overflow=\"true\""

    private let families = Mutex<[String: Family]>([:])
    private let seriesLimit: Int

    /// - Parameter seriesLimit: series of one name; routes times methods times status classes stay far below it.
    package init(seriesLimit: Int = 2000) { self.seriesLimit = seriesLimit }

    /// A gauge whose value is asked for whenever the page is read.
    package func gauge(_ label: String, _ dimensions: [(String, String)] = [], read: @escaping @Sendable () -> Double) {
        _ = series(label, dimensions, .gauge) { AskedSeries(read: read) }
    }

    /// The page: families by name, each with its type line.
    package func text() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, to: &text)
            }
        }
        return text
    }

    /// The series of that name and those labels, made if need be. A name keeps the kind that it was first used with.
    private func series<Series: PrometheusSeries>(
        _ label: String, _ dimensions: [(String, String)], _ kind: Kind, _ make: () -> Series
    ) -> Series {
        let name = PrometheusRegistry.name(label)
        var labels = PrometheusRegistry.labels(dimensions)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind)
            if let known = family.series[labels] as? Series { return known }
            if family.series.count >= seriesLimit {
                labels = PrometheusRegistry.overflow
                if let known = family.series[labels] as? Series { return known }
            }
            let series = make()
            // A clash of kinds is a defect in the code that measures; its values then go nowhere.
            if family.kind == kind {
                family.series[labels] = series
                families[name] = family
            }
            return series
        }
    }

    private static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\(name($0.0))=\"\(escaped($0.1))\"" }.joined(separator: ",")
    }

    /// Prometheus knows letters, digits and the underscore.
    private static func name(_ text: String) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            let isPlain = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_" || isDigit
            if isDigit && name.isEmpty { name = "_" }
            name.unicodeScalars.append(isPlain ? scalar : "_")
        }
        return name
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return text
    }
}

// MARK: - swift-metrics

extension PrometheusRegistry {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, dimensions, .gauge) { GaugeSeries() } }
        return series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.amounts) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.seconds) }
    }

    // Series live as long as the process: a counter that comes back must not start at zero.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

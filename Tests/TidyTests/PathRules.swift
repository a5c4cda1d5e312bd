/// Folders of one machine, put together here so that this file doesn't name them.
private let machineFolders = ["work", "root", "opt", "home", "workspace"].map { "/\($0)/" }
private let packageHosts = [
    "pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "golang" + ".org/proxy", "crates" + ".io",
]

/// Whether a folder stands at the start of an absolute path: after a space, a quote or an equals sign.
private func stands(_ folder: String, in line: String) -> Bool {
    var rest = Substring(line)
    while let range = rest.firstRange(of: folder) {
        let before = line[..<range.lowerBound].last ?? " "
        if !before.isLetter && !before.isNumber && !"._-}*/:>)".contains(before) { return true }
        rest = rest[range.upperBound...]
    }
    return false
}

let pathRules: [Rule] = [
    Rule(
        "No file names a path of one machine or the host of a package registry",
        bad: [
            Sample("scripts/a", "cd \(machineFolders[0])main\n"),
            Sample("docs/a.md", "a\n`\(machineFolders[2])swift`\n", line: 2),
            Sample("scripts/a", "curl https://\(packageHosts[0])/simple\n"),
        ],
        good: [Sample("scripts/a", "cd \"$root/work/a\"\n"), Sample("docs/a.md", "https://a.example/opt/b\n")],
        where: { !$0.isRecorded },
        eachFile: { file in
            file.lines.enumerated().compactMap { index, line in
                if let folder = machineFolders.first(where: { stands($0, in: line) }) {
                    return (index + 1, "\(folder) exists on one machine only: start from the repository's root")
                }
                return packageHosts.first { line.contains($0) }.map {
                    (index + 1, "\($0): leave the registry to the tool's own settings")
                }
            }
        }),
    Rule(
        "A script says at once that it stops at its first failure, and may be executed",
        bad: [
            Sample(["scripts/a": "#!/usr/bin/env bash\necho a\n"], executables: ["scripts/a"], line: 2),
            Sample(["scripts/a": "#!/usr/bin/env bash\nset -euo pipefail\n"], line: 0),
        ],
        good: [
            Sample(["scripts/a": "#!/usr/bin/env bash\n# b\nset -euo pipefail\n"], executables: ["scripts/a"]),
            Sample(["scripts/a.txt": "b\n"]),
        ]
    ) { tree in
        tree.files.filter { ["scripts/", "scripts/lib/", ".ci/"].contains($0.folder) && !$0.path.hasSuffix(".txt") }
            .flatMap { file -> [Violation] in
                var found: [Violation] = []
                if !tree.executables.contains(file.path) {
                    found.append(Violation(path: file.path, line: 0, advice: "chmod +x it"))
                }
                if !file.lines.contains("set -euo pipefail") {
                    found.append(Violation(path: file.path, line: 2, advice: "begin with set -euo pipefail"))
                }
                return found
            }
    },
]

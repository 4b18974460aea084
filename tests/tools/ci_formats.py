#!/usr/bin/env python3
"""lbann-validate --format=sarif|junit|github, judged by rules written from the formats' specifications.

SARIF: the properties that OASIS SARIF 2.1.0 requires and allows for the objects we write, types, enumerations and index
references (sections 3.13 to 3.30). JUnit: well-formed, counts agree. GitHub: the grammar of workflow commands.
Findings themselves are compared with those of --format=json, places with the text of the file.

    ci_formats.py BIN SOURCE
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as xml

BIN, SOURCE = (os.path.abspath(path) for path in sys.argv[1:3])
VALIDATE = os.path.join(BIN, "lbann-validate")

# object -> property -> (required, type or name of an object, "[x]" a list of it)
SARIF = {
    "log": {"$schema": (False, str), "version": (True, str), "runs": (True, "[run]")},
    "run": {"tool": (True, "tool"), "columnKind": (False, str), "artifacts": (False, "[artifact]"),
            "results": (False, "[result]")},
    "tool": {"driver": (True, "component")},
    "component": {"name": (True, str), "version": (False, str), "rules": (False, "[rule]")},
    "rule": {"id": (True, str)},
    "artifact": {"location": (False, "artifactLocation")},
    "artifactLocation": {"uri": (False, str)},
    "result": {"ruleId": (False, str), "ruleIndex": (False, int), "level": (False, str), "message": (True, "message"),
               "locations": (False, "[location]"), "relatedLocations": (False, "[location]")},
    "message": {"text": (True, str)},
    "location": {"physicalLocation": (False, "physicalLocation"), "message": (False, "message")},
    "physicalLocation": {"artifactLocation": (True, "artifactLocation"), "region": (False, "region")},
    "region": {"startLine": (True, int), "startColumn": (False, int), "endLine": (False, int), "endColumn": (False, int)},
}


def check_object(value, kind, path):
    rules = SARIF[kind]
    assert isinstance(value, dict), path
    for name in value:
        assert name in rules, f"{path}: no property '{name}' in {kind}"
    for name, (required, expected) in rules.items():
        if name not in value:
            assert not required, f"{path}: '{name}' is missing"
            continue
        here = f"{path}.{name}"
        if isinstance(expected, type):
            assert isinstance(value[name], expected) and not isinstance(value[name], bool), here
        elif expected[0] == "[":
            assert isinstance(value[name], list), here
            for i, item in enumerate(value[name]):
                check_object(item, expected[1:-1], f"{here}[{i}]")
        else:
            check_object(value[name], expected, here)


def check_sarif(log):
    check_object(log, "log", "$")
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run = log["runs"][0]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in run["results"]:
        assert result["level"] in ("none", "note", "warning", "error")
        assert rules[result["ruleIndex"]] == result["ruleId"]
        for location in result.get("locations", []) + result.get("relatedLocations", []):
            place = location["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert re.fullmatch(r"(?:file:///)?[A-Za-z0-9._~/%-]+", uri), uri
            region = place.get("region")
            if region:
                assert region["startLine"] >= 1 and region.get("startColumn", 1) >= 1
                end = (region.get("endLine", region["startLine"]), region.get("endColumn", 1 << 30))
                assert end > (region["startLine"], region.get("startColumn", 1)), region
    return run


def validate(*words, cwd, code):
    done = subprocess.run([VALIDATE, *words], cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done.stdout, done.stderr


def check_file(folder, name, code, words=()):
    report = json.loads(validate("--format=json", *words, name, cwd=folder, code=code)[0])
    found = sorted((d["severity"], d.get("line", 0), d["message"]) for d in report["diagnostics"])

    run = check_sarif(json.loads(validate("--format=sarif", *words, name, cwd=folder, code=code)[0]))
    got = []
    for result in run["results"]:
        line = 0
        if result.get("locations"):
            place = result["locations"][0]["physicalLocation"]
            line = place.get("region", {}).get("startLine", 0)
            if line:
                uri = place["artifactLocation"]["uri"]
                assert urllib.parse.unquote(uri[len("file://"):] if uri.startswith("file://") else uri) == name
        got.append((result["level"], line, result["message"]["text"].split("\n")[0]))
    assert sorted(got) == found, (sorted(got), found)

    text = validate("--format=junit", *words, name, cwd=folder, code=code)[0]
    root = xml.fromstring(text)
    cases = root.findall("./testsuite/testcase")
    failures = root.findall("./testsuite/testcase/failure")
    assert root.tag == "testsuites" and int(root.get("tests")) == len(cases) and len(cases) >= 1
    assert int(root.get("failures")) == len(failures)
    failing = ("error", "warning") if "--strict" in words else ("error",)
    expected = sorted(message for severity, _, message in found if severity in failing)
    assert sorted(f.get("message") for f in failures) == expected, (failures, expected)
    assert (len(failures) > 0) == (code != 0)

    lines = validate("--format=github", *words, name, cwd=folder, code=code)[0].splitlines()
    lines = [line for line in lines if line.startswith("::")]
    told = []
    for line in lines:
        match = re.fullmatch(r"::(error|warning|notice) ((?:[a-zA-Z]+=[^,:\n]*)(?:,[a-zA-Z]+=[^,:\n]*)*)::(.*)", line)
        assert match, line
        properties = dict(p.split("=", 1) for p in match.group(2).split(","))
        assert set(properties) <= {"file", "line", "col", "endLine", "endColumn", "title"}, properties
        message = urllib.parse.unquote(match.group(3)).split("\n")[0]
        severity = {"notice": "note"}.get(match.group(1), match.group(1))
        told.append((severity, int(properties.get("line", 0)), message))
    assert sorted(told) == found, (told, found)
    return len(found)


def main():
    with tempfile.TemporaryDirectory(prefix="lbann-ci-") as folder:
        for data in ("digits", "lenet"):
            os.symlink(os.path.join(SOURCE, "tests", "networks", data), os.path.join(folder, data))
        good = os.path.join(SOURCE, "tests", "networks", "lenet.prototext")
        with open(good, encoding="utf-8") as file:
            text = file.read()
        name = "a file, 100% <odd>.prototext"
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        clean = check_file(folder, name, 0)
        # A typo, a wrong value and a missing parent at once: three places.
        bad = text.replace("num_output_channels", "num_ouput_channels", 1)
        bad = bad.replace("epsilon", "epsilom", 1).replace("parents: \"", "parents: \"no_such_", 1)
        assert bad != text
        with open(os.path.join(folder, "bad.prototext"), "w", encoding="utf-8") as file:
            file.write(bad)
        count = check_file(folder, "bad.prototext", 3)
        assert count >= 1, count
        # --output takes each of them; the file is complete, standard output empty.
        for form in ("sarif", "junit", "github"):
            out, _ = validate("--format=" + form, "--output=report", "bad.prototext", cwd=folder, code=3)
            assert out == "" and os.path.getsize(os.path.join(folder, "report")) > 0, form
        # A file that cannot be read is a finding, too.
        text, err = validate("--format=sarif", "missing.prototext", cwd=folder, code=4)
        run = check_sarif(json.loads(text))
        assert len(run["results"]) == 1 and "missing.prototext" in run["results"][0]["message"]["text"], text
        assert "exit 4" in err
        text, _ = validate("--format=junit", "missing.prototext", cwd=folder, code=4)
        assert xml.fromstring(text).get("failures") == "1"
        bad_files = sorted(os.listdir(os.path.join(SOURCE, "tests", "golden", "bad")))
        checked = 0
        for file in bad_files:
            if not file.endswith(".prototext"):
                continue
            path = os.path.join(SOURCE, "tests", "golden", "bad", file)
            code = subprocess.run([VALIDATE, path], capture_output=True, timeout=60, check=False).returncode
            check_file(folder, path, code)
            checked += 1
        print(f"clean file: {clean} findings; bad file: {count}; {checked} golden bad files agree in four formats")


main()

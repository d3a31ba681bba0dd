#!/usr/bin/python3
"""How Python writes JSON values: tests/data/python_text.json (input, dumps, dumps sorted, repr)."""
import json
import os

inputs = [
    "{}", "[]", "null", "true", "false", "0", "-12", "9223372036854775807", "3.0", "0.1", "1e-5", "1e22", "-0.0", "1.5e300",
    '""', '"plain"', '"it\'s"', '"say \\"hi\\""', '"both \' and \\""', '"back\\\\slash"', '"tab\\tline\\nreturn\\rbell\\u0007"',
    '"\\b\\f/\\u007f"', '"\\u00e9\\u20ac\\ud83d\\ude00"',
    '{"nb_layers": 3, "kernel_size": 1, "hidden_dim": 64}',
    '{"b": [1, 2.0, [3, {"x": null}]], "a": {"z": true, "y": false}, "\\u00e9": 1, "Z": 2, "_": 3}',
    '[[], {}, [[]], "a", 1e100, 123456789.125]',
]
out = []
for text in inputs:
    value = json.loads(text)
    out.append({"input": text, "dumps": json.dumps(value), "sorted": json.dumps(value, sort_keys=True), "repr": repr(value)})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_text.json"), "w") as f:
    json.dump(out, f, indent=1)

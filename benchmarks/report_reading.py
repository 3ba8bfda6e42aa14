"""How well and how fast reports are read.

    python benchmarks/report_reading.py --data shared/data --mentions tests/text_conditioning/gold/mentions.csv

Prints one JSON document. The data is not in the repository; its sources are named in docs/reports.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reading import assertions, reports


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with reports/ and negation/")
    parser.add_argument("--mentions", type=Path, help="CSV of hand-labelled mentions in the reports")
    parser.add_argument("--out", type=Path, help="file to write instead of the screen")
    options = parser.parse_args()
    figures = {
        "reports": reports.measure(options.data),
        "assertions": assertions.measure(options.data, options.mentions),
    }
    text = json.dumps(figures, indent=1)
    if options.out is None:
        print(text)
    else:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

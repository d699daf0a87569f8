#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the bill of materials of an installation, CycloneDX 1.5: what is installed, with its SHA-256, and the libraries that it was built against. The same build gives the same
bytes. Run by `meson install`, which says by MESON_INSTALL_DESTDIR_PREFIX where.

    make_sbom.py --version V --out FILE --installed FILE… --dependency NAME VERSION LICENCE …
"""
import argparse
import hashlib
import json
import os
import pathlib
import uuid

HOME = "pkg:generic/libraffle"
PREFIX = pathlib.Path(os.environ["MESON_INSTALL_DESTDIR_PREFIX"])


def installed(path, version):
    data = (PREFIX / path).read_bytes()
    return {"type": "application" if "." not in pathlib.Path(path).name else "library", "bom-ref": pathlib.Path(path).name, "name": pathlib.Path(path).name,
            "version": version, "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}], "licenses": [{"license": {"id": "Apache-2.0"}}]}


def needed(name, version, licence):
    named = {"id": licence} if licence != "public-domain" else {"name": "Public Domain"}
    return {"type": "library", "bom-ref": f"pkg:generic/{name}@{version}", "name": name, "version": version, "purl": f"pkg:generic/{name}@{version}",
            "licenses": [{"license": named}]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--installed", action="append", required=True)
    parser.add_argument("--dependency", action="append", nargs=3, default=[])
    given = parser.parse_args()
    parts = [installed(path, given.version) for path in given.installed]
    libraries = [needed(*each) for each in sorted(given.dependency)]
    root = f"{HOME}@{given.version}"
    bom = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "library", "bom-ref": root, "name": "libraffle", "version": given.version, "purl": root, "components": parts,
                                   "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": libraries,
        "dependencies": [{"ref": root, "dependsOn": [each["bom-ref"] for each in libraries]}],
    }
    bom["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True)).urn
    (PREFIX / given.out).write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

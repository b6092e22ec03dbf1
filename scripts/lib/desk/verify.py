"""`scripts/verify`: audits the archive, and shows how far it is."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from tqdm import tqdm

from chatserver.admin.audit import audit_all
from desk.embedded import mongodb_address

if __name__ == "__main__":
    with mongodb_address() as address:
        sys.exit(asyncio.run(audit_all(address, partial(tqdm, desc="verifying", unit=" rooms"))))

"""Creates many sandboxes at once, each under a key of its own, and asks again for as long as nobody answers.

    many.py PREFIX COUNT

Prints the key, the id and the state of each as it is answered.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from daytona import Daytona, DaytonaError

PATIENCE = 180
PAUSE = 0.05
# The server ends, or has just begun; anything else that is answered is a failure.
PASSING = (None, 503)


def create(key):
    daytona = Daytona()
    daytona._api_client.set_default_header("Idempotency-Key", key)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            sandbox = daytona.create()
            # In one piece: threads that print word by word mix their lines.
            sys.stdout.write(f"{key} {sandbox.id} {sandbox.state}\n")
            sys.stdout.flush()
            return
        except DaytonaError as error:
            if error.status_code not in PASSING or time.monotonic() > until:
                raise
            time.sleep(PAUSE)


def main():
    prefix, count = sys.argv[1], int(sys.argv[2])
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(create, [f"{prefix}-{number}" for number in range(count)]))


main()

"""Fetch repositories of the Hub into the release's volume, once for all replicas: what the download Job runs, in the
engine's image, with the huggingface_hub that vLLM itself has.

DOWNLOAD says what, as JSON: the repositories, those that no engine waits for (`ahead`), the folder for their markers,
whether files are compared with the Hub's checksums, and for how long a Hub that does not answer is asked again. Weights
go into the Hub's cache, where an engine finds them offline. A file that was cut off goes on where it ended, which
huggingface_hub does not do between two processes. A marker is written last: the commit, and every file with its size
and checksum. It is what engines wait for.
"""

import concurrent.futures
import contextlib
import dataclasses
import email.utils
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants, errors
from huggingface_hub.file_download import http_get, repo_folder_name
from huggingface_hub.utils import build_hf_headers, filter_repo_objects
from huggingface_hub.utils.sha import git_hash, sha_fileobj

# For the Job's podFailurePolicy: another attempt would end the same way.
HOPELESS = 3
# Where a 403 is about the token.
HUB_HOST = "huggingface.co"
FILES_AT_A_TIME = 8
# A smaller file is not worth going on with, and comes by huggingface_hub's own way.
RESUMED_BYTES = 16 << 20
LONGEST_WAIT_SECONDS = 60
TOLD_EVERY_SECONDS = 30
# Nobody has written to a file for so long who still downloads it.
ABANDONED_SECONDS = 600
GIB = 1 << 30
# What is fetched of an adapter, and the file by which adapters.py knows that one is whole.
ADAPTER = ["adapter_config.json", "adapter_model.*"]
ADAPTER_MARK = ".fetched"


class HopelessError(Exception):
    """What no other attempt would change; the text says what would."""


class BrokenFilesError(Exception):
    """Files that are not what the Hub says; they are gone, so that the next attempt fetches them anew."""


def say(text):
    print(text, flush=True)


# What a repository has


def checksum(entry):
    """Algorithm and checksum of a file at the Hub: sha256 of those in large file storage, git's own of the others."""
    return ("sha256", entry.lfs.sha256) if entry.lfs else ("git-sha1", entry.blob_id)


def listed(repository, commit):
    """The files of a commit, by path: of an adapter those that make one, of others all that are not excluded."""
    tree = huggingface_hub.HfApi().list_repo_tree(repository["name"], recursive=True, revision=commit)
    found = {entry.path: entry for entry in tree if hasattr(entry, "size")}
    if "adapter" in repository:
        kept = list(filter_repo_objects(found, allow_patterns=ADAPTER))
        if not kept:
            raise HopelessError(f"{repository['name']} has no {ADAPTER[0]}: it is no adapter: correct lora.adapters")
    else:
        kept = list(filter_repo_objects(found, ignore_patterns=repository["exclude"]))
    if not kept:
        raise HopelessError(f"download.exclude leaves nothing of {repository['name']}, which has {len(found)} files")
    return {path: found[path] for path in kept}


def tell_doubles(files):
    """Weights in two formats: vLLM reads the safetensors alone."""
    if not any(path.endswith(".safetensors") for path in files):
        return
    other_formats = re.compile(r"^(pytorch_model.*\.bin|consolidated.*|.*\.(pth|h5|msgpack|onnx))$")
    doubles = [path for path in files if other_formats.search(path)]
    size = sum(files[path].size for path in doubles)
    if size > GIB:
        again = f"{size / GIB:.1f} GiB of it hold the weights once more, such as {doubles[0]}"
        say(f"{again}: download.exclude leaves them out")


# Waiting


class Patience:
    """Asks again while the Hub is busy or away, until a time."""

    def __init__(self, seconds):
        self.until = time.monotonic() + seconds

    def ask(self, what, function, *arguments, **options):
        """The function's result. Raises what it raised where no waiting helps, or none is left."""
        for attempt in range(10**6):
            try:
                return function(*arguments, **options)
            except Exception as error:
                fail_if_hopeless(error, what)
                seconds, reason = wait_for(error, attempt)
                if seconds is None or time.monotonic() + seconds > self.until:
                    raise
                say(f"{what}: {reason}: asking again in {seconds:.0f} s")
                time.sleep(seconds)
        return None


def causes(error):
    """An error and those that it came from: huggingface_hub hides a refusal behind a file that is not in the cache."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def fail_if_hopeless(error, what):
    """Raise for what another try would not change."""
    token = "hub.tokenSecretRef" if os.environ.get("HF_TOKEN") else "hub.tokenSecretRef, which is empty"
    for each in causes(error):
        if isinstance(each, errors.GatedRepoError):
            raise HopelessError(f"{what}: gated: accept its terms at the Hub, with the account of {token}") from error
        if isinstance(each, errors.RepositoryNotFoundError):
            raise HopelessError(
                f"{what}: the Hub has no such repository, or not for this token: see {token}"
            ) from error
        if status := refused(each):
            raise HopelessError(f"{what}: the Hub answers {status}: {words(each)}: see {token}") from error
        if isinstance(each, errors.HFValidationError):
            raise HopelessError(f"{what}: no name of a repository: write organisation/name") from error
        if isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HopelessError(f"{what}: the volume is full: write a larger persistence.size") from error
        if isinstance(each, OSError) and each.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise HopelessError(
                f"{what}: {each}: the volume can't be written: "
                "see podSecurityContext.fsGroup and persistence.accessModes"
            ) from error
        if isinstance(each, ValueError) and "too large to be downloaded" in str(each):
            raise HopelessError(f"{what}: larger than the Hub gives by plain HTTP: write download.xet: true") from error


def refused(error):
    """401 or 403 where it is the Hub's own answer; a network of another host signs its addresses for minutes alone.

    403 counts of huggingface.co only: a mirror gives it for reasons that pass, too.
    """
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status not in (401, 403):
        return None
    asked = urllib.parse.urlsplit(constants.ENDPOINT).hostname
    own = urllib.parse.urlsplit(str(response.url)).hostname == asked
    return status if own and (status == 401 or asked == HUB_HOST) else None


def words(error):
    """What an error says, in one line."""
    return " ".join(str(getattr(error, "server_message", None) or error).split())


def wait_for(error, attempt):
    """Seconds until the next try and why; None where the error is none of the Hub or the network."""
    backoff = min(LONGEST_WAIT_SECONDS, 2.0**attempt)
    for each in causes(error):
        response = getattr(each, "response", None)
        status = getattr(response, "status_code", None)
        if status == 429:
            return (told_to_wait(response.headers) or backoff), "too many requests for the Hub (429)"
        if status in (408, 500, 502, 503, 504):
            return (told_to_wait(response.headers) or backoff), f"the Hub answers {status}"
        if is_of_network(each):
            return backoff, f"the Hub does not answer ({type(each).__name__}: {each})"
    return None, ""


def is_of_network(error):
    """Whether the connection failed: of the standard library, or of the HTTP client that huggingface_hub has."""
    if isinstance(error, ConnectionError | TimeoutError) or "Consistency check failed" in str(error):
        return True
    clients = [sys.modules[name] for name in ("httpx2", "httpx") if name in sys.modules]
    return isinstance(error, tuple(client.TransportError for client in clients))


def told_to_wait(headers):
    """Seconds that the Hub asks for, in either of its ways; 0 where it asks for none.

    https://huggingface.co/docs/hub/rate-limits, RFC 9110 section 10.2.3.
    """
    after = headers.get("Retry-After", "").strip()
    if after.isdigit():
        return int(after) + 1
    if date := email.utils.parsedate_tz(after):
        return max(1.0, email.utils.mktime_tz(date) - time.time())
    left = re.search(r"r\s*=\s*0\s*;\s*t\s*=\s*(\d+)", headers.get("RateLimit", ""))
    return int(left[1]) + 1 if left else 0


# Fetching


class Store:
    """A repository's folder in the Hub's cache. Its layout is described in
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache."""

    def __init__(self, name):
        self.name = name
        self.root = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=name, repo_type="model"))

    def blob(self, entry):
        return self.root / "blobs" / checksum(entry)[1]

    def partial(self, entry):
        return self.blob(entry).with_suffix(".partial")

    def pointer(self, commit, path):
        return self.root / "snapshots" / commit / path

    def has(self, commit, entry):
        """Whether a file is there in its whole length."""
        pointer = self.pointer(commit, entry.path)
        return pointer.is_file() and pointer.stat().st_size == entry.size

    def here(self, commit, entry):
        """Bytes of a file that are there, of this commit or of another one that has the same file."""
        whole = self.has(commit, entry) or size_of(self.blob(entry)) == entry.size
        return entry.size if whole else size_of(self.partial(entry))

    def clean(self):
        """Remove what huggingface_hub left of a download that was killed: it goes on with none of them."""
        for left in (self.root / "blobs").glob("*.incomplete"):
            if left.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                left.unlink(missing_ok=True)

    def forget(self, commit, path):
        """Remove a file, so that it is fetched anew."""
        pointer = self.pointer(commit, path)
        pointer.resolve().unlink(missing_ok=True)
        pointer.unlink(missing_ok=True)

    def forget_short(self, commit, entry):
        """Remove what is left of a file in another length: it would be taken for whole, or linked again."""
        self.pointer(commit, entry.path).unlink(missing_ok=True)
        if size_of(self.blob(entry)) != entry.size:
            self.blob(entry).unlink(missing_ok=True)

    def refer(self, name, commit):
        """Let a branch stand for a commit, as an engine offline asks for it; returns the file that says so."""
        path = self.root / "refs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, commit)
        return path

    def fetch(self, commit, entries):
        """Fetch files of the same bytes."""
        for entry in entries:
            if self.has(commit, entry):
                continue
            self.forget_short(commit, entry)
            if constants.HF_HUB_DISABLE_XET and entry.size >= RESUMED_BYTES:
                self.go_on(commit, entry)
            else:
                huggingface_hub.hf_hub_download(self.name, entry.path, revision=commit)

    def go_on(self, commit, entry):
        """Fetch a large file from where an attempt before ended, and link it as huggingface_hub does."""
        blob, partial = self.blob(entry), self.partial(entry)
        blob.parent.mkdir(parents=True, exist_ok=True)
        if size_of(partial) > entry.size:
            partial.unlink()
        with partial.open("ab") as file:
            # The Job of a revision before this one may be about to end. Some file systems have no locks.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            if not blob.is_file():
                self.download(commit, entry, file)
                partial.replace(blob)
            else:
                partial.unlink(missing_ok=True)
        pointer = self.pointer(commit, entry.path)
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.unlink(missing_ok=True)
        try:
            pointer.symlink_to(os.path.relpath(blob, pointer.parent))
        except OSError:  # a file system without links, such as SMB's
            blob.replace(pointer)

    def download(self, commit, entry, file):
        """Add what a file still lacks."""
        url = huggingface_hub.hf_hub_url(self.name, entry.path, revision=commit)
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        begun = file.seek(0, os.SEEK_END)
        http_get(url, file, resume_size=begun, headers=headers, expected_size=entry.size, displayed_filename=entry.path)
        file.flush()
        if os.fstat(file.fileno()).st_size != entry.size:
            file.truncate(0)
            raise ConnectionError(f"{entry.path} came in another length than the Hub says")
        # The marker says that it is there, and must not outlive it where a node loses its power.
        os.fsync(file.fileno())


def size_of(path):
    try:
        return path.stat().st_size
    except OSError:
        return 0


def write(path, text):
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def check_space(wanted, folder):
    """Say that the volume is too small before anything is fetched into it."""
    by_blob = {}
    for blob, size in (file for each in wanted for file in each.missing()):
        by_blob[blob] = max(size, by_blob.get(blob, 0))
    missing = sum(by_blob.values())
    disk = shutil.disk_usage(folder)
    if missing > disk.free:
        raise HopelessError(
            f"{missing / GIB:.1f} GiB are still to fetch, and of the volume's {disk.total / GIB:.1f} GiB are "
            f"{disk.free / GIB:.1f} free: write a larger persistence.size"
        )


class Progress:
    """Tells every half minute how far a download is, in the log and in a file that waiting engines read."""

    def __init__(self, file, so_far, total):
        self.file, self.so_far, self.total = file, so_far, total
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.file.unlink(missing_ok=True)

    def run(self):
        began, first = time.monotonic(), self.so_far()
        while not self.done.wait(TOLD_EVERY_SECONDS):
            now = self.so_far()
            rate = (now - first) / (time.monotonic() - began)
            text = f"{now / GIB:.1f} of {self.total / GIB:.1f} GiB, {rate / 1e6:.0f} MB/s"
            say(text)
            try:
                write(self.file, text)
            except OSError:
                continue


# Comparing


def broken(store, commit, files):
    """The files whose bytes are not those of the checksum, each with what is wrong, by path.

    `files`: algorithm and checksum by path. What `hf cache verify` does, several files at a time.
    """

    def wrong(path):
        algorithm, expected = files[path]
        try:
            with store.pointer(commit, path).open("rb") as file:
                actual = sha_fileobj(file).hex() if algorithm == "sha256" else git_hash(file.read())
        except FileNotFoundError:
            return "it is gone"
        return "" if actual == expected else f"its {algorithm} is {actual}, and {expected} at the Hub"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return {path: said for path, said in zip(files, pool.map(wrong, files), strict=True) if said}


def compare(store, commit, files):
    """Raise BrokenFilesError for files that are not what the Hub has, and remove those."""
    began = time.monotonic()
    wrong = broken(store, commit, files)
    for path in wrong:
        store.forget(commit, path)
    if wrong:
        told = "; ".join(f"{path}: {said}" for path, said in wrong.items())
        raise BrokenFilesError(f"{store.name} at {commit}: {told}: removed, to be fetched anew")
    say(f"{store.name}: {len(files)} files are what the Hub has, compared in {time.monotonic() - began:.0f} s")


# All are looked at first, and then fetched one after the other


@dataclasses.dataclass
class Wanted:
    """A repository that is not there yet: its commit, and the Hub's entries of its files by path."""

    repository: dict
    store: Store
    marker: Path
    what: str
    commit: str
    files: dict

    @property
    def total(self):
        return sum(entry.size for entry in self.files.values())

    def so_far(self):
        return sum(self.store.here(self.commit, entry) for entry in self.files.values())

    def missing(self):
        """The file that each goes into and its bytes still to fetch. Paths and revisions may share one, and where the
        volume has no links, one of them may be there already and another not."""
        for entry in self.files.values():
            yield self.store.blob(entry), entry.size - self.store.here(self.commit, entry)


def commit_of(repository, what):
    """The commit that a revision is now."""
    revision = repository["revision"] or None
    try:
        return huggingface_hub.HfApi().repo_info(repository["name"], revision=revision).sha
    except errors.RevisionNotFoundError as error:
        raise HopelessError(f"{what}: the Hub has no such revision: see {repository['key']}") from error


def look(repository, patience, verify, markers):
    """What is to be fetched of a repository; None if it is there."""
    store, marker = Store(repository["name"]), markers / repository["marker"]
    if fetched_before(store, marker, verify):
        return None
    what = f"{store.name} at {repository['revision'] or 'its default branch'}"
    commit = patience.ask(what, commit_of, repository, what)
    files = patience.ask(what, listed, repository, commit)
    store.clean()
    wanted = Wanted(repository, store, marker, what, commit, files)
    say(f"{what}: commit {commit}, {len(files)} files, {wanted.total / GIB:.2f} GiB")
    tell_doubles(files)
    return wanted


def fetch(wanted, patience, verify):
    """Fetch one repository, compare its files, and write its marker."""
    repository, store, marker = wanted.repository, wanted.store, wanted.marker
    commit, files = wanted.commit, wanted.files
    with Progress(marker.with_suffix(".progress"), wanted.so_far, wanted.total):
        fetch_files(store, commit, files.values(), patience)
    sums = {path: checksum(entry) for path, entry in files.items()}
    if verify:
        compare(store, commit, sums)
    reference = store.refer(repository["revision"] or constants.DEFAULT_REVISION, commit)
    described = {
        "repository": store.name,
        "revision": repository["revision"],
        "commit": commit,
        "compared": verify,
        "snapshot": os.path.relpath(store.root / "snapshots" / commit, marker.parent),
        "reference": os.path.relpath(reference, marker.parent),
        "files": {path: {"size": files[path].size, algorithm: sum_} for path, (algorithm, sum_) in sums.items()},
    }
    if "adapter" in repository:
        place(store.root / "snapshots" / commit, Path(repository["adapter"]), files, commit)
    write(marker, json.dumps(described, indent=1))
    say(f"{wanted.what}: {commit} is complete")


def fetch_files(store, commit, entries, patience):
    """Fetch files, several at a time. Raises what the first raised that failed, and waits for no other then."""
    # The largest first, so that the last one to end is small. Two files of the same bytes come as one.
    same = {}
    for entry in sorted(entries, key=lambda entry: -entry.size):
        same.setdefault(checksum(entry), []).append(entry)
    pool = concurrent.futures.ThreadPoolExecutor(FILES_AT_A_TIME)
    try:
        asked = [pool.submit(patience.ask, each[0].path, store.fetch, commit, each) for each in same.values()]
        for each in concurrent.futures.as_completed(asked):
            each.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def place(snapshot, folder, files, commit):
    """Link an adapter's files into the directory where `lora` looks for it."""
    for path in files:
        link = folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        # Another Job may place another commit here. A copy onto its link would change that commit's own file.
        part = link.with_name(f".{link.name}.{commit}.part")
        part.unlink(missing_ok=True)
        try:
            part.symlink_to(os.path.relpath(snapshot / path, link.parent))
        except FileExistsError:  # there are links, and a Job of this commit makes the same one
            raise
        except OSError:  # a file system without links
            shutil.copyfile(snapshot / path, part)
        part.replace(link)
    write(folder / ADAPTER_MARK, commit)


def fetched_before(store, marker, verify):
    """Whether a marker is there whose files are, too; one whose files are not is removed, so that no engine starts."""
    try:
        described = json.loads(marker.read_text())
        commit, files = described["commit"], described["files"]
        sums = {path: next(item for item in file.items() if item[0] != "size") for path, file in files.items()}
    except (OSError, ValueError, LookupError, StopIteration):
        return False
    short = [path for path, file in files.items() if size_of(store.pointer(commit, path)) != file["size"]]
    try:
        if verify and not short:
            compare(store, commit, sums)
    except BrokenFilesError:
        marker.unlink()
        raise
    if short:
        say(f"{store.name}: {short[0]} is not as it was when it was fetched: fetching again")
        marker.unlink()
        return False
    say(f"{store.name}: {commit} is there already")
    return True


def stop(*_):
    say("told to end: the next attempt goes on from here")
    os._exit(143)


def main():
    # The first process of a container has no default for it, and would be killed after the whole grace period.
    signal.signal(signal.SIGTERM, stop)
    order = json.loads(os.environ["DOWNLOAD"])
    markers = Path(order["markers"])
    patience = Patience(order["seconds"])
    try:
        markers.mkdir(parents=True, exist_ok=True)
        for together in (order["repositories"], order.get("ahead", [])):
            found = [look(repository, patience, order["verify"], markers) for repository in together]
            wanted = [each for each in found if each]
            check_space(wanted, markers)
            for each in wanted:
                fetch(each, patience, order["verify"])
    except HopelessError as error:
        say(str(error))
        sys.stdout.flush()
        os._exit(HOPELESS)
    except Exception as error:
        try:
            fail_if_hopeless(error, str(markers))
        except HopelessError as hopeless:
            say(str(hopeless))
            os._exit(HOPELESS)
        say(f"{type(error).__name__}: {error}")
        os._exit(1)


if __name__ == "__main__":
    main()

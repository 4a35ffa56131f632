"""Object storage: reached, asked, allowed.

The lines are those of runai-model-streamer 0.17.1 and boto3 1.44 against versitygw 1.8, with one thing wrong at a time;
codes that Amazon's own store has for the same are at https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from vllm_chart.live.engine_log.known.row import KnownError

CHECK = "object-storage"
_REGION = "correct objectStorage.region: the store reads the signature as one for another region than the bucket's"
_READS = "let the keys of objectStorage.credentialsSecretRef, or the pods' identity, {} what is under model.id"

ERRORS = [
    KnownError(
        CHECK,
        r".*(?:NoCredentialsError|Unable to locate credentials).*",
        "name the Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in objectStorage.credentialsSecretRef, or "
        "give the pods an identity in serviceAccount.annotations",
    ),
    KnownError(
        CHECK,
        r".*\((?:XAdminUserNotFound|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken)\) when "
        r"calling.*",
        "correct the keys in the Secret that objectStorage.credentialsSecretRef names: the store does not take them",
    ),
    KnownError(
        CHECK,
        r".*\((?:AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraintException)\) when calling.*",
        _REGION,
    ),
    KnownError(CHECK, r".*\((?:AccessDenied|403)\) when calling.*", _READS.format("list and read")),
    KnownError(CHECK, r".*\(NoSuchBucket\) when calling.*", "correct the bucket in model.id: the store has none of it"),
    KnownError(
        CHECK,
        r".*(?:Could not connect to the endpoint URL|Connect timeout on endpoint URL): .*",
        "correct objectStorage.endpoint, or objectStorage.region where that is empty: nothing answers there",
    ),
    KnownError(
        CHECK,
        r".*SSL validation failed for https?://.*CERTIFICATE_VERIFY_FAILED.*",
        "name a ConfigMap with the store's authority in caBundle.configMapName",
    ),
    KnownError(
        CHECK,
        r".*SSL validation failed for https?://.*",
        "write http:// in objectStorage.endpoint if the store has no TLS there, or another port",
    ),
    KnownError(
        CHECK,
        r".*Connection was closed before we received a valid response from endpoint URL: .http://.*",
        "write https:// in objectStorage.endpoint: what answers there speaks TLS, or another protocol",
    ),
    # vllm/model_executor/model_loader/runai_streamer_loader.py:218 of 0.33
    KnownError(
        CHECK,
        r".*Cannot find any safetensors model weights with `(?:s3|gs|az)://.*",
        "correct the folder in model.id, or put *.safetensors into it: it has none",
    ),
    # The configuration is copied to a directory of this name first (vllm/transformers_utils/runai_utils.py:67 of 0.33),
    # and nothing is no error of the store's.
    KnownError(
        CHECK,
        r".*Invalid repository ID or local directory specified: \S*/model_streamer/[0-9a-f]{8}.*",
        "correct the folder in model.id: there is no config.json in it",
    ),
    # RUNAI_STREAMER_LOG_TO_STDERR, which the chart sets: of the streamer's C++, s3/client/client.cc
    KnownError(CHECK, r".*Failed to download s3 object .*http_status=(?:400|301).*", _REGION),
    KnownError(CHECK, r".*Failed to download s3 object .*http_status=403.*", _READS.format("read")),
    KnownError(
        CHECK,
        r".*Failed to download s3 object .*AWS_IO_(?:SOCKET|DNS|TLS).*",
        "correct objectStorage.endpoint: nothing answers there",
    ),
    KnownError(
        CHECK,
        r".*Could not receive response from libstreamer due to: b'File access error'.*",
        "correct objectStorage.region, and let the keys read what they list: the store lists the weights and does not "
        "give them",
    ),
    KnownError(
        "memory",
        r".*Memory limit supplied: \d+ cannot be smaller than: (\d+).*",
        "write env.RUNAI_STREAMER_MEMORY_LIMIT: {1} or more, and a resources.limits.memory that holds it: the largest "
        "tensor has to fit in the streamer's buffer",
    ),
    # vllm/utils/import_utils.py:320 of 0.33
    KnownError(
        CHECK,
        r".*Please install vllm\[runai\].*",
        "write an image.repository with runai-model-streamer in it: vllm/vllm-openai has it, the CPU image does not",
    ),
]

"""Object storage: reached, asked, allowed.

The lines are those of runai-model-streamer 0.17 against versitygw 1.8 (boto3 1.44), Azurite 3.37 (azure-storage-blob
12.31) and fake-gcs-server 1.56 (google-cloud-storage 3.17), with one thing wrong at a time; codes that the stores
themselves have for the same are at https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes.
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
    # azure/core/exceptions.py: the code of the store's answer is in a line of its own.
    KnownError(
        CHECK,
        r".*\bErrorCode:(?:AuthenticationFailed|AuthorizationFailure|InvalidAuthenticationInfo).*",
        "correct the keys in the Secret that objectStorage.credentialsSecretRef names, or the pods' identity: "
        "objectStorage.account does not take them, if its firewall is not what refuses",
    ),
    KnownError(
        CHECK,
        r".*\bErrorCode:(?:AuthorizationPermissionMismatch|InsufficientAccountPermissions|"
        r"AuthorizationResourceTypeMismatch).*",
        _READS.format("list and read"),
    ),
    KnownError(
        CHECK,
        r".*\bErrorCode:ContainerNotFound.*",
        "correct the container in model.id: objectStorage.account has none of it",
    ),
    KnownError(
        CHECK,
        r".*Failed to resolve .[a-z0-9]+\.blob\.core\..*",
        "correct objectStorage.account: there is no storage account of that name, or no way to it",
    ),
    KnownError(
        CHECK,
        r".*DefaultAzureCredential failed to retrieve a token.*",
        "name the Secret with AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN or a client's own three in "
        "objectStorage.credentialsSecretRef, or give the pods an identity in serviceAccount.annotations and podLabels",
    ),
    # Of the streamer's C++, azure/client/client.cc: it reads no connection string.
    KnownError(
        CHECK,
        r".*Azure account name is required.*",
        "write objectStorage.account: what reads the weights knows no connection string",
    ),
    # google/auth/_default.py and google/oauth2/_client.py
    KnownError(
        CHECK,
        r".*DefaultCredentialsError: Your default credentials were not found.*",
        "name the Secret with credentials.json in objectStorage.credentialsSecretRef, or give the pods an identity in "
        "serviceAccount.annotations",
    ),
    KnownError(
        CHECK,
        r".*google\.auth\.exceptions\.(?:DefaultCredentialsError|MalformedError|RefreshError): .*",
        "correct credentials.json in the Secret that objectStorage.credentialsSecretRef names, or the pods' identity: "
        "Google gives no token for it",
    ),
    # google/cloud/storage/client.py asks for the bucket first.
    KnownError(
        CHECK,
        r".*google\.api_core\.exceptions\.NotFound: 404 GET \S+/storage/v1/b/[^/?]+\?.*",
        "correct the bucket in model.id: the store has none of it",
    ),
    KnownError(
        CHECK,
        r".*google\.api_core\.exceptions\.(?:Forbidden: 403|Unauthorized: 401) GET \S+/storage/v1/b/.*",
        _READS.format("list and read") + ", and get the bucket (storage.buckets.get)",
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

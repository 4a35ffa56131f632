"""The Hub, and stores that weights come from: reached, asked, allowed."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    # The chart's files/programs/wait_for_download.py
    KnownError(
        "download",
        r"gave up after \d+ s: [^`]*",
        "engines start when the Job that downloads is complete: its log says how far it is. A large model on a slow "
        "line wants a larger download.budgetSeconds",
    ),
    # openai/harmony, src/tiktoken_ext/public_encodings.rs: vLLM asks for it of a gpt-oss
    # (vllm/entrypoints/openai/parser/harmony_utils.py:100 of 0.33); https://github.com/vllm-project/vllm/issues/22525
    KnownError(
        "model",
        r".*(?:error downloading or loading vocab file|failed to download or load vocab file"
        r"|openaipublic\.blob\.core\.windows\.net).*",
        "gpt-oss wants a vocabulary that is not in its repository: put o200k_base.tiktoken of "
        "https://openaipublic.blob.core.windows.net/encodings/ into a volume (volumes, volumeMounts), and write its "
        "folder in env.TIKTOKEN_ENCODINGS_BASE",
    ),
    # huggingface_hub/utils/_http.py, _snapshot_download.py, file_download.py; transformers/utils/hub.py
    KnownError(
        "model",
        r".*(?:You are trying to access a gated repo|Cannot access gated repo|Access to model .* is restricted).*",
        "accept the model's licence with the token's account, and name its Secret in hub.tokenSecretRef; an init "
        "container that downloads needs HF_TOKEN in its own env",
    ),
    KnownError(
        "hub-token",
        r".*(?:Invalid username or password|Invalid credentials in Authorization header"
        r"|User Access Token .*expired).*",
        "renew the token in the Secret that hub.tokenSecretRef names",
    ),
    # huggingface_hub before 1.0, file_download.py
    KnownError(
        "hub",
        r".*Fast download using 'hf_transfer' is enabled.*",
        "leave HF_HUB_ENABLE_HF_TRANSFER out of env: this image has no hf_transfer; HF_XET_HIGH_PERFORMANCE: 1 is its "
        "successor",
    ),
    # h11 and httpx, which refuse to send such a header
    KnownError(
        "hub-token",
        r".*Illegal header value b?['\"]Bearer .*",
        "take the newline off the value in the Secret that hub.tokenSecretRef names: `kubectl create secret generic` "
        "with --from-literal adds none",
    ),
    KnownError(
        "hub",
        r".*429 (?:Client Error|Too Many Requests).*",
        "the Hub limits how often it is asked: write hub.offline: true once persistence holds the model, or name a "
        "token in hub.tokenSecretRef",
    ),
    # run-ai/runai-model-streamer, which vllm/model_executor/model_loader/runai_streamer_loader.py calls
    KnownError(
        "model",
        r".*Could not send runai_request.*",
        "the bucket of model.id refuses this identity: for a role of AWS write only serviceAccount.annotations; "
        "AWS_ENDPOINT_URL, AWS_EC2_METADATA_DISABLED and RUNAI_STREAMER_NO_BOTO3_SESSION in env are for other stores",
    ),
    KnownError(
        "model",
        r".*(?:Revision Not Found for url|is not a valid git identifier).*",
        "correct model.revision: the repository has no such revision",
    ),
    KnownError(
        "model",
        r".*(?:is not a local folder and is not a valid model identifier|Repository Not Found for url).*",
        "correct model.id; for a private model, name the Secret of a token in hub.tokenSecretRef",
    ),
    KnownError(
        "hub-token",
        r".*401 Client Error: Unauthorized for url.*",
        "name the Secret of a token that may read model.id in hub.tokenSecretRef",
    ),
    KnownError(
        "model",
        r".*(?:offline mode is enabled|outgoing traffic has been disabled|OfflineModeIsEnabled).*",
        "correct model.id: the Hub is off (hub.offline) and the model is not in the cache. Write the path of a "
        "directory, mount the volume that has it (persistence.existingClaim), or write hub.offline: false",
    ),
    KnownError(
        "hub",
        r".*(?:Name or service not known|Temporary failure in name resolution|Network is unreachable"
        r"|CERTIFICATE_VERIFY_FAILED|We couldn't connect to '|Please check your (?:internet )?connection"
        r"|huggingface.*(?:Max retries exceeded|Read timed out)|Unable to connect to proxy|Tunnel connection failed"
        r"|http(?:x|core)\.(?:ConnectError|ConnectTimeout|ReadTimeout|ProxyError)).*",
        "the pod can't reach the Hub for model.id: write proxy.httpsProxy, a mirror in hub.endpoint, its "
        "authority in caBundle.configMapName; or mount the weights and write hub.offline: true",
    ),
]

"""The model's files: what is in them, and what vLLM makes of them."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    # vllm/transformers_utils/config.py, vllm/model_executor/, transformers/models/auto/
    KnownError(
        "model",
        r".*(?:requires you to execute |consider setting `trust_remote_code=True`).*",
        "if you trust the code in the model's repository: model.trustRemoteCode: true, and pin model.revision",
    ),
    KnownError(
        "model",
        r".*Invalid repository ID or local directory specified: '/model'.*",
        "write the directory with config.json in model.image.subPath: it is not at the top of the image. An empty "
        "/model is a cluster without its gate ImageVolume, before Kubernetes 1.35",
    ),
    KnownError(
        "model",
        r".*(?:Invalid repository ID or local directory specified: |Repo id must be in the form |Repo id must use "
        r"alphanumeric chars).*",
        "correct model.id: a Hub id, or the path of a directory with a config.json in a mounted volume",
    ),
    KnownError(
        "model",
        r".*Cannot find any model weights with .*",
        "correct model.id, or what its volume holds: the directory has no *.safetensors",
    ),
    # vllm/transformers_utils/config.py; mistral_common, by way of vllm/tokenizers/mistral.py
    KnownError(
        "engine-arguments",
        r".*(?:Failed to load mistral '|Make sure that a Mistral tokenizer is present|No tokenizer file found in "
        r"dir).*",
        "leave engine.args.config-format, load-format and tokenizer-mode out: the files of model.id are in Hugging "
        "Face's format, not in Mistral's",
    ),
    # transformers, tokenization_utils_base.py and utils/hub.py; safetensors
    KnownError(
        "model",
        r".*(?:Tokenizer class \S+ does not exist|Couldn't instantiate the backend tokenizer).*",
        "write an image.tag of a vLLM that knows the model's tokenizer, or name another one in engine.args.tokenizer",
    ),
    KnownError(
        "model",
        r".*does not appear to have a file named .*",
        "correct model.id, or what its volume holds: the file is missing there",
    ),
    KnownError(
        "model",
        r".*SafetensorError: .*",
        "download the weights of model.id anew: a file is cut off, or only a Git LFS pointer",
    ),
    KnownError(
        "model",
        r".*(?:Model architectures? .* (?:are|is) not supported|does not recognize this architecture).*",
        "write an image.tag of a vLLM that knows the model, or another model.id",
    ),
    # vllm/model_executor/model_loader/weight_utils.py:612, sharded_state_loader.py:213 of 0.33
    KnownError(
        "model",
        r".*Weight files referenced in index but missing: .*",
        "download the weights of model.id anew: some of its files are missing",
    ),
    KnownError(
        "engine-arguments",
        r".*Could not find checkpoint files .*",
        "leave engine.args.load-format out: the files of model.id are not what it loads",
    ),
    # vllm/model_executor/models/utils.py:443, model_loader/default_loader.py:570, weight_utils.py:1538 of 0.33
    KnownError(
        "model",
        r".*(?:There is no module or parameter named|weights were not initialized from|Attempted to load weight).*",
        "write an image.tag of a vLLM that is newer than the model, or correct engine.args.quantization, hf-overrides "
        "and model.id: its weights are not those that this vLLM looks for",
    ),
    # vllm/config/model.py:1466, :2416 of 0.33
    KnownError(
        "model",
        r".*Unknown quantization method: .*",
        "write an image.tag of a vLLM that knows how model.id is quantized, or another model.id",
    ),
    KnownError(
        "engine-arguments",
        r".*The model type \S+ does not support float16.*",
        "leave engine.args.dtype out, or write bfloat16 or float32",
    ),
]

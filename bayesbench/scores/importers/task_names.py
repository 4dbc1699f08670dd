"""What other tools call benchmarks: task names whose spelling alone would not tell, by format."""

from __future__ import annotations

from collections.abc import Mapping

from . import epoch_hub, helm, hugging_face, inspect_logs, lighteval, lm_eval, lmarena

__all__ = ["TASKS", "known_task"]

_LM_EVAL: Mapping[str, str | None] = {
    "aime24": "aime_2024",
    "aime25": "aime_2025",
    "bbh_cot_fewshot": "bbh",
    "bbh_cot_zeroshot": "bbh",
    "bbh_fewshot": "bbh",
    "bbh_zeroshot": "bbh",
    "ceval-valid": "c_eval",
    "gpqa_diamond_cot_n_shot": "gpqa_diamond",
    "gpqa_diamond_cot_zeroshot": "gpqa_diamond",
    "gpqa_diamond_generative_n_shot": "gpqa_diamond",
    "gpqa_diamond_n_shot": "gpqa_diamond",
    "gpqa_diamond_zeroshot": "gpqa_diamond",
    "gsm8k_cot": "gsm8k",
    "gsm8k_cot_llama": "gsm8k",
    "gsm8k_cot_zeroshot": "gsm8k",
    "gsm8k_llama": "gsm8k",
    "hendrycks_math": "math",
    "hendrycks_math500": "math_500",
    "humaneval_instruct": "humaneval",
    "leaderboard_bbh": "bbh",
    "leaderboard_gpqa_diamond": "gpqa_diamond",
    "leaderboard_ifeval": "ifeval",
    "leaderboard_mmlu_pro": "mmlu_pro",
    "leaderboard_musr": "musr",
    "longbench": "longbench_v1",
    "longbench2": "longbench_v2",
    "mbpp_instruct": "mbpp",
    "mbpp_plus_instruct": "mbpp_plus",
    "mgsm_direct": "mgsm",
    "mgsm_native_cot": "mgsm",
    "minerva_math": "math",
    "minerva_math500": "math_500",
    "mmlu_generative": "mmlu",
    "mmlu_llama": "mmlu",
    "mmlu_redux_generative": "mmlu_redux",
    "nq_open": "natural_questions",
    "truthfulqa": None,
    "truthfulqa_gen": None,
    "truthfulqa_mc1": None,
}

TASKS: Mapping[str, Mapping[str, str | None]] = {
    lm_eval.FORMAT: _LM_EVAL,
    lighteval.FORMAT: {**_LM_EVAL, "truthfulqa:mc": "truthfulqa_mc2", "math": None},
    inspect_logs.FORMAT: {
        "inspect_evals/mmlu_0_shot": "mmlu",
        "inspect_evals/mmlu_5_shot": "mmlu",
        "inspect_evals/truthfulqa": None,
    },
    helm.FORMAT: {
        "gsm": "gsm8k",
        "commonsense_openbookqa": "openbookqa",
        "commonsense_hellaswag": "hellaswag",
        "truthful_qa": None,
    },
    hugging_face.CARD: {
        "ai2 reasoning challenge": "arc_challenge",
        "truthfulqa": None,
    },
    hugging_face.RESULTS: {"allenai/ai2_arc/arc-challenge": "arc_challenge"},
    epoch_hub.FORMAT: {"arc_ai2": "arc_challenge", "arc_agi": "arc_agi_1"},
    lmarena.FORMAT: {"lmarena text overall": "chatbot_arena_elo"},
}
"""Format to name (lower case) to benchmark id; None where a name that looks alike means another."""

_PREFIXES = {inspect_logs.FORMAT: "inspect_evals/"}


def known_task(kind: str, name: str) -> tuple[bool, str | None]:
    """Whether a name of a format is a task name, and the benchmark or spelling it stands for.

    Parameters
    ----------
    kind : str
        Format, as `Found.format` says it.
    name : str

    Returns
    -------
    bool
    str or None
        None for one that is known to be another benchmark than its spelling says.
    """
    listed = TASKS.get(kind, {})
    if name.casefold() in listed:
        return True, listed[name.casefold()]
    prefix = _PREFIXES.get(kind, "")
    if prefix and name.startswith(prefix):
        return True, name.removeprefix(prefix)
    return False, None

"""How the demo weights are made and judged; for ``train_demo_model.py`` and ``evaluate_model.py``; not shipped.

In the order of the work:

- `sentences`: what is said, drawn from ``grammar/``; what is held out
- `synthesis`: espeak-ng → speech with the times of its words and phonemes; the voices; `bank`: much of it, on disk
- `line`: what a telephone does to it; `wordless`: what a line sounds like while nobody speaks
- `tokenizer`: a vocabulary in Whisper's layout
- `windows`: all of these → batches
- `net`, `training`: PyTorch, which nothing else here needs
- `weights`: the folder that CTranslate2 loads, written and read back
- `scoring`: trials and how their outcome is counted
"""

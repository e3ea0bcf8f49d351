"""How people feel about a call, as far as their words tell: a score per utterance, per side and per quarter.

- `scoring`   where to start: scorers by language, the sentiment of a side
- `lexicon`   a scorer that knows words, and the format of its files; `lexicons/` has those that are shipped
"""

from zccvoice.analytics.sentiment.scoring import (
    Scorers,
    SentimentScorer,
    load_scorers,
    quarter_scores,
    sentiment_of,
    side_score,
    side_words_count,
)

__all__ = [
    "Scorers",
    "SentimentScorer",
    "load_scorers",
    "quarter_scores",
    "sentiment_of",
    "side_score",
    "side_words_count",
]

# The public names; `__init__.py` reads this file, so that each is listed once.
from .answers.decide import Decision as Decision
from .answers.ranking import Gap as Gap
from .answers.ranking import Ranking as Ranking
from .campaign import Campaign as Campaign
from .campaign import StopRules as StopRules
from .design import Costs as Costs
from .design import Recommendation as Recommendation
from .design import Recommendations as Recommendations
from .errors import BayesbenchError as BayesbenchError
from .errors import BayesbenchWarning as BayesbenchWarning
from .evaluation import AsShipped as AsShipped
from .evaluation import Curve as Curve
from .evaluation import Evaluation as Evaluation
from .evaluation import Folds as Folds
from .evaluation import NewRelease as NewRelease
from .evaluation import Probes as Probes
from .evaluation import SmallTables as SmallTables
from .evaluation import evaluate as evaluate
from .fitting.engines.settings import NUTS as NUTS
from .fitting.engines.settings import SVI as SVI
from .fitting.engines.settings import Gibbs as Gibbs
from .fitting.fit import fit as fit
from .front.model import Model as Model
from .front.posterior import Posterior as Posterior
from .front.posterior import open_posterior as open_posterior
from .front.prediction import Average as Average
from .front.prediction import CellPrediction as CellPrediction
from .front.prediction import Prediction as Prediction
from .low_rank.facts import ModelFacts as ModelFacts
from .low_rank.spec import ModelSpec as ModelSpec
from .low_rank.spec import Priors as Priors
from .posterior.diagnostics import Diagnostics as Diagnostics
from .scores import ScoreMatrix as ScoreMatrix
from .scores import open_scores as open_scores
from .scores import read_scores as read_scores

__version__: str

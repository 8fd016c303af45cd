# ---
# jupyter:
#   course:
#     prerequisites: ["4.1", "4.2"]
#     equal_programs:
#       "A year ahead":
#         "constant: 522 -> *": "a week more or less in ten years of growth"
#         "constant: 1 -> 2 (*": "a week less or more in ten years of growth"
#         "constant: 1 -> 0 (3)": "a week less in ten years of growth"
#     core_minutes: 100
# ---

# %% [markdown]
# # 4.3a Time series
#
# **After this lesson you can** cut a series into windows without a leak, forecast it with a calendar, with Holt-Winters, a linear
# regression, a dense, a convolutional and a recurrent network, judge all of them by a rolling origin, and give a forecast an interval
# whose coverage you have measured.
#
# **You build** forecasts of the carbon dioxide in the air, one week and one year ahead, and hold them against ten years that no choice has seen.
#
# **Question.** The air of next year looks much like the air of this year. What can a network know about it that a calendar does not?

# %% tags=["setup"]
import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.linear_model
import sklearn.metrics
import sklearn.neighbors
import statsmodels.datasets
import statsmodels.tsa.holtwinters

from workshop.kit import COLOURS, claim, feedback, use_course_settings, use_course_style

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## The air of 44 years
#
# Since 1958 the observatory on the volcano Mauna Loa, Hawaii, has measured how many of a million molecules of air are carbon dioxide
# (ppm, parts per million). statsmodels brings one mean for each week until 2001. A **time series** is such a row of values
# in the order of time.
#
# Time decides the split. We train on the oldest years, choose on the next ones, and keep the newest closed until the last section,
# because that is how a forecast is used: the future is never part of the past.

# %% tags=["setup"]
table = statsmodels.datasets.co2.load_pandas().data
raw_values = table["co2"].to_numpy()  # (2284,) in ppm, NaN where nothing was measured
dates = table.index.to_numpy().astype("datetime64[D]")  # (2284,): every seventh day
years = dates.astype("datetime64[Y]").astype(int) + 1970

validation_start, test_start = np.searchsorted(years, [1986, 1992])
VALIDATION_WEEKS = np.arange(validation_start, test_start)  # 1986 to 1991
TEST_WEEKS = np.arange(test_start, len(years))  # 1992 to 2001
training_dates, training_values = dates[:validation_start], raw_values[:validation_start]

# %% alt="CO2 against time from 1958 to 1991: a saw of one tooth a year climbs from 315 to 355 ppm. A dotted line at 1986 parts training from validation years; the test years to the right are an empty grey field."
plt.plot(dates[:test_start], raw_values[:test_start], color=COLOURS["blue"], linewidth=1.2)
plt.axvline(dates[validation_start], color="black", linestyle=":", linewidth=1.2)
plt.axvspan(dates[test_start], dates[-1], color="0.9")
for label, day in (("training", "1968"), ("validation", "1986-03"), ("test: closed", "1993-06")):
    plt.annotate(label, (np.datetime64(day, "D"), 361))
plt.ylim(311, 364)
plt.xlabel("year")
plt.ylabel("CO2 (ppm)")
plt.title("Carbon dioxide at Mauna Loa, weekly means")
plt.show()

# %% [markdown]
# Two things repeat: a steady climb, and one tooth a year. The forests of the north take carbon out of the air in summer and give it back
# in winter. And there are small holes in the line, most of them before 1968.

# %% [markdown]
# ## The missing weeks
#
# How many weeks are missing, and where? (`np.diff` of the mask marks where gaps begin and end.)

# %% without_learning="data"
missing = np.isnan(raw_values)
edges = np.diff(missing.astype(int), prepend=0, append=0)
gap_starts, gap_ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
gap_lengths = gap_ends - gap_starts
print("lengths of the gaps in weeks:", gap_lengths.tolist())
claim(
    "All missing weeks lie in the training years, so no forecast will be scored on an invented value",
    bool(missing.any() and not missing[validation_start:].any()),
    f"{missing.sum()} of {len(missing)} weeks missing, the last in {years[missing].max()}",
)

# %% [markdown]
# Windows need a value in every week. Which filling is best, we do not guess: we *hide weeks that are known*, in gaps
# of the same lengths, fill them, and compare. Three fillings:
#
# - the **last value** goes on until the next one;
# - a **straight line** joins the values around the gap;
# - a **season curve** is fitted to the known weeks (a cubic in time for the climb, four waves of 1, 2, 3 and 4 periods a
#   year for the tooth), and the straight line joins what is left after the curve is taken away.
#
# Predict their order before you run the cells, and where the curve gains most.


# %% tags=["setup"]
DAYS_A_YEAR = 365.25
WAVES = 4  # periods a year: 1 to 4


def season_columns(dates):
    """Columns for a regression on dates (n,): a cubic in time and four waves a year, (n, 12)."""
    time = (dates - np.datetime64("1958-01-01")).astype(int) / DAYS_A_YEAR
    angles = 2 * np.pi * np.outer(time, np.arange(1, WAVES + 1))
    powers = np.stack([(time / 30) ** power for power in range(4)], axis=1)
    return np.concatenate([powers, np.sin(angles), np.cos(angles)], axis=1)


# %% tags=["setup"]
def fill_with_last(dates, values):
    places = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(places)]


def fill_with_line(dates, values):
    known = ~np.isnan(values)
    return np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])


def fill_with_season(dates, values):
    known, columns = ~np.isnan(values), season_columns(dates)
    weights = np.linalg.lstsq(columns[known], values[known], rcond=None)[0]
    return columns @ weights + fill_with_line(dates, values - columns @ weights)


# %%
def hide_gaps(values, generator):
    """A copy of values (n,) with gaps of the lengths above at random places, and where they are: (n,) of True and False."""
    hidden = np.zeros(len(values), bool)
    taken = np.isnan(values)
    for length in sorted(gap_lengths, reverse=True):
        free = np.convolve(taken, np.ones(length + 2), "valid") == 0  # a known week at each end
        start = generator.choice(np.flatnonzero(free)) + 1
        hidden[start : start + length] = taken[start : start + length] = True
    return np.where(hidden, np.nan, values), hidden


FILLINGS = {
    "last value": fill_with_last,
    "straight line": fill_with_line,
    "season curve": fill_with_season,
}
generator = np.random.default_rng(SEED)
filling_errors = {name: [] for name in FILLINGS}
for _ in range(30):
    with_gaps, hidden = hide_gaps(training_values, generator)
    for name, fill in FILLINGS.items():
        error = np.abs(fill(training_dates, with_gaps) - training_values)[hidden]
        filling_errors[name].append(error.mean())

# %% without_learning="data"
filling_error = {name: np.mean(values) for name, values in filling_errors.items()}
for name, error in filling_error.items():
    print(f"{name:14s} mean error of a hidden week {error:.2f} ppm")
claim(
    "The season curve fills hidden weeks best, the last value worst",
    bool(
        filling_error["season curve"] < 0.8 * filling_error["straight line"]
        and filling_error["straight line"] < 0.7 * filling_error["last value"]
    ),
    ", ".join(f"{name} {error:.2f} ppm" for name, error in filling_error.items()),
)

# %% [markdown]
# In a gap of a week the line is nearly as good. In a gap of 18 weeks it cuts through a whole slope of the tooth, and the curve does not.
#
# So we fill with the season curve, fitted on the training years alone. A filling looks at both sides of its gap, so also at
# the future. Here that is harmless, for no validation or test week has a gap near it. In a series with gaps in the test years it would be a leak.

# %% tags=["setup"]
YEAR = 52  # weeks; what that neglects you see soon
values = raw_values.copy()
values[:validation_start] = fill_with_season(training_dates, training_values)

# %% [markdown]
# ## Trend and season
#
# A **trend** is the slow change of the level, a **season** a pattern that returns after a fixed time, here a year. Take each apart. For
# the trend: by how much is a week above the same week of the year before? For the season: what is left of the values when a
# moving average of one year is taken away?

# %%
growth = values[YEAR:validation_start] - values[: validation_start - YEAR]
year_average = np.convolve(values[:validation_start], np.ones(YEAR) / YEAR, "valid")
tooth = values[YEAR // 2 : YEAR // 2 + len(year_average)] - year_average
tooth_dates = dates[YEAR // 2 : YEAR // 2 + len(year_average)]
day_of_year = (tooth_dates - tooth_dates.astype("datetime64[Y]")).astype(int)

# %% alt="Left: growth in a year against time, jagged, from about 0.8 ppm in the sixties to about 1.5 ppm in the eighties. Right: the tooth over the days of a year, highest near day 135, lowest near day 270, for two decades almost the same curve."
figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.4))
left.plot(dates[YEAR:validation_start], growth, color="0.7", linewidth=0.8)
smooth = np.convolve(growth, np.ones(5 * YEAR) / (5 * YEAR), "valid")
left.plot(dates[YEAR + 130 : YEAR + 130 + len(smooth)], smooth, "-", color=COLOURS["blue"])
left.set_xticks(np.array(["1960", "1970", "1980"], "datetime64[D]"), ["1960", "1970", "1980"])
left.set(title="Growth within 52 weeks", xlabel="year", ylabel="ppm", ylim=(-1.5, 4))
for first, colour, style in ((1959, "orange", "--"), (1976, "blue", "-")):
    tooth_years = tooth_dates.astype("datetime64[Y]").astype(int) + 1970
    decade = (tooth_years >= first) & (tooth_years < first + 9)
    weeks = day_of_year[decade] // 7
    mean_tooth = [tooth[decade][weeks == week].mean() for week in range(YEAR)]
    right.plot(np.arange(YEAR) * 7, mean_tooth, style, color=COLOURS[colour])
right.annotate("from 1976", (165, 2.7), color=COLOURS["blue"])
right.annotate(
    "from 1959",
    (245, -2.1),
    (40, -2.5),
    color="black",
    arrowprops={"arrowstyle": "->", "color": "0.5"},
)
right.set(title="Season", xlabel="day of the year", ylabel="ppm above the year's mean")
plt.show()

# %% [markdown]
# Left: the climb itself grows (the blue line averages five years), and from one year to the next it jumps about, for reasons that are not in
# this series: El Niño, volcanoes, the economy. Right: the tooth keeps its shape.
#
# A year is not 52 weeks but a little more than 52.17. Forecasters still like the season 52, as we do here, for the error of one year is
# a day and a quarter. It adds up:

# %% without_learning="data"
days_lost = (dates[27 * YEAR] - dates[0]).astype(int) - 27 * DAYS_A_YEAR
early, late = growth[: 10 * YEAR].mean(), growth[-10 * YEAR :].mean()
print(f"27 seasons of 52 weeks are {-days_lost:.0f} days shorter than 27 years")
claim(
    "In the last ten training years the air gains CO2 at least half as fast again as in the first ten",
    bool(late > 1.5 * early),
    f"{early:.2f} and {late:.2f} ppm within 52 weeks",
)

# %% [markdown]
# ## How to judge a forecast
#
# A forecast has an **origin**, the last week it has seen, and a **horizon** $h$, how many weeks after the origin it looks. One forecast tells you
# little. So you take *every* week of the validation years in turn as the target and forecast it from $h$ weeks before:
# a **rolling origin**.
#
# With errors $e = \hat y - y$ in ppm there are three usual measures:
#
# - **MAE**, the mean of $|e|$: how far off, on average.
# - **RMSE**, the root of the mean of $e^2$: the same unit, but large errors count more.
# - **MASE**, the MAE divided by the MAE that repeating the last year had *in the training years*: it has no unit, so series can be
#   compared. Below 1 you are better than a calendar was in the past.
#
# By hand: forecasts 2, 4, 9 for the values 1, 4, 5 have the errors 1, 0, 4. MAE is $5/3$, RMSE $\sqrt{17/3}$. If repeating the last
# year was off by 2 on average in training, MASE is $5/6$.


# %% tags=["setup"]
HORIZONS = 52  # every forecast tells the next 52 weeks
seasonal_scale = np.abs(
    values[YEAR:validation_start] - values[: validation_start - YEAR]
).mean()  # ppm


def errors_of(forecasts, horizon, weeks):
    """Errors in ppm of the target weeks (n,), each forecast from `horizon` weeks before: (n,).

    forecasts: (weeks, 52), what is forecast from each origin for the 52 weeks after it.
    """
    return forecasts[weeks - horizon, horizon - 1] - values[weeks]


def measures(errors, scale):
    """MAE, RMSE and MASE of errors (n,)."""
    mae = np.abs(errors).mean()
    return mae, np.sqrt((errors**2).mean()), mae / scale


# %% without_learning="arithmetic"
mae, rmse, mase = measures(np.array([2.0, 4.0, 9.0]) - np.array([1.0, 4.0, 5.0]), scale=2.0)
claim(
    "MAE and RMSE are scikit-learn's, and the example by hand is right",
    bool(
        np.isclose(mae, sklearn.metrics.mean_absolute_error([1, 4, 5], [2, 4, 9]))
        and np.isclose(rmse, sklearn.metrics.root_mean_squared_error([1, 4, 5], [2, 4, 9]))
        and np.isclose(mase, 5 / 6)
    ),
    f"MAE {mae:.3f}, RMSE {rmse:.3f}, MASE {mase:.3f}",
)

# %% [markdown]
# ## Forecasts from a calendar
#
# Three forecasts need no learning. The **naive** one repeats the last value. The **seasonal naive** one repeats the value of the same
# week a year before. The third adds to that the yearly growth, averaged over the ten years before the origin: seasonal naive **with drift**.
#
# Two of the three are the same at one of our horizons. Which, and where?

# %%
TEN_YEARS = 522  # weeks, to within two days
WEEKS = len(values)
forecasts = {name: np.full((WEEKS, HORIZONS), np.nan) for name in ("naive", "seasonal naive")}
forecasts["naive"][:] = values[:, np.newaxis]
for origin in range(YEAR - 1, WEEKS):
    forecasts["seasonal naive"][origin] = values[origin - YEAR + 1 : origin + 1]

ten_year_growth = np.full(WEEKS, np.nan)
ten_year_growth[TEN_YEARS:] = (values[TEN_YEARS:] - values[:-TEN_YEARS]) / 10
forecasts["with drift"] = forecasts["seasonal naive"] + ten_year_growth[:, np.newaxis]

# %% without_learning="data"
mae_of = {
    (name, horizon): np.abs(errors_of(forecast, horizon, VALIDATION_WEEKS)).mean()
    for name, forecast in forecasts.items()
    for horizon in (1, 52)
}
for name in forecasts:
    print(f"{name:15s} 1 week {mae_of[name, 1]:.2f} ppm, 52 weeks {mae_of[name, 52]:.2f} ppm")
claim(
    "One week ahead the last value is best of the three, 52 weeks ahead the drift, and there naive and seasonal naive are one",
    bool(
        mae_of["naive", 1] < min(mae_of["seasonal naive", 1], mae_of["with drift", 1])
        and mae_of["with drift", 52] < 0.5 * mae_of["seasonal naive", 52]
        and mae_of["naive", 52] == mae_of["seasonal naive", 52]
    ),
    f"1 week: naive {mae_of['naive', 1]:.2f}, 52 weeks: drift {mae_of['with drift', 52]:.2f}, others {mae_of['naive', 52]:.2f} ppm",
)

# %% [markdown]
# 52 weeks after the origin "the same week a year before" *is* the origin. And notice what that forecast forgets: the climb. Who
# only beats seasonal naive on a series with a trend has shown nothing. The drift is the calendar's real offer, and we hold the networks against it too.

# %% [markdown]
# ## Holt-Winters
#
# **Holt-Winters** is the classical method for trend and season. It keeps a level $\ell$, a growth a week $b$ and 52 season values $s$.
# Each week it forecasts $\hat y_t = \ell_{t-1} + b_{t-1} + s_{t-52}$, sees the error $e_t = y_t - \hat y_t$, and moves each of the three a little
# towards what it has seen:
#
# $$\ell_t = \ell_{t-1} + b_{t-1} + \alpha e_t, \qquad b_t = b_{t-1} + \alpha \beta e_t, \qquad s_t = s_{t-52} + \gamma e_t.$$
#
# Derive the first: $\ell_t = \alpha (y_t - s_{t-52}) + (1 - \alpha)(\ell_{t-1} + b_{t-1})$ is a mixture of what the new value says
# and what was expected. Put in $y_t - s_{t-52} = e_t + \ell_{t-1} + b_{t-1}$, and the rest is $\alpha e_t$. The growth mixes likewise, $b_t =
# \beta (\ell_t - \ell_{t-1}) + (1 - \beta)\, b_{t-1}$, and $\ell_t - \ell_{t-1} = b_{t-1} + \alpha e_t$. statsmodels finds $\alpha, \beta, \gamma$ and the start values that make the
# sum of squared one-week errors in the training years smallest. We write out the rest, and go on through the later years with the weights fixed.


# %%
def holt_winters(values, level, growth, season, alpha, beta, gamma):
    """Forecasts of additive Holt-Winters from every origin, (weeks, 52), with the season values (52,) before the first week."""
    season, forecasts = list(season), np.empty((len(values), HORIZONS))
    steps = np.arange(1, HORIZONS + 1)
    for week, value in enumerate(values):
        error = value - (level + growth + season[week])
        level, growth = level + growth + alpha * error, growth + alpha * beta * error
        season.append(season[week] + gamma * error)
        forecasts[week] = level + steps * growth + season[-YEAR:]
    return forecasts


def our_forecasts(fitted):
    """Forecasts (weeks, 52) of our Holt-Winters with the weights and start values that statsmodels used."""
    found = fitted.params
    start = [found[f"initial_{part}"] for part in ("level", "trend", "seasons")]
    weights = [found[f"smoothing_{part}"] for part in ("level", "trend", "seasonal")]
    return holt_winters(values, *start, *weights)


# %% [markdown]
# To compare, we let statsmodels find the weights, and give it a second set in which all three are far from zero.

# %% without_learning="arithmetic"
training_series = values[:validation_start]
options = {"trend": "add", "seasonal": "add", "seasonal_periods": YEAR}
fitted = statsmodels.tsa.holtwinters.ExponentialSmoothing(training_series, **options).fit()
given = statsmodels.tsa.holtwinters.ExponentialSmoothing(
    training_series, initialization_method="heuristic", **options
).fit(smoothing_level=0.3, smoothing_trend=0.1, smoothing_seasonal=0.2, optimized=False)

differences = []
for theirs in (fitted, given):
    ours = our_forecasts(theirs)
    differences.append(np.abs(ours[: validation_start - 1, 0] - theirs.fittedvalues[1:]).max())
    later = np.abs(ours[validation_start - 1] - theirs.forecast(HORIZONS))
    differences.append(later[: HORIZONS - 1].max())
claim(
    "Our Holt-Winters makes statsmodels' forecasts, 1 to 51 weeks ahead, with found and with given weights",
    bool(max(differences) < 1e-8),
    f"largest difference {max(differences):.0e} ppm; 52 weeks ahead with given weights {later[-1]:.2f} ppm",
)
forecasts["Holt-Winters"] = our_forecasts(fitted)
for part in ("level", "trend", "seasonal"):
    print(f"weight of the {part:8s} {fitted.params[f'smoothing_{part}']:.2f}")

# %% [markdown]
# (At 52 weeks the target has the season value of the origin itself. We use it as the origin's week has just changed it, statsmodels as it was before. With the found
# weights that is the same.)
#
# Look at the weights of trend and season, $\beta$ and $\gamma$: both are next to zero. The fitted method has learned one growth and one tooth for all 28 years, and only the
# level follows the data. Remember the growing climb: a method that keeps the average growth of the past must fall short of the next years.

# %% [markdown]
# How good are they? Half a year ahead the answer is a surprise.

# %%
for horizon in (1, 26, 52):
    sizes = np.abs(errors_of(forecasts["Holt-Winters"], horizon, VALIDATION_WEEKS))
    print(f"Holt-Winters {horizon:2d} weeks ahead: MAE {sizes.mean():.2f} ppm")

# %% [markdown]
# Worse in half a year than in a whole one! The reason is the season of 52 weeks. Over the training years its tooth slips by five weeks against
# the real year, and a fixed tooth can only be a compromise. The level makes up for that at the origin, and half a year later, where the tooth falls instead of rising, the
# correction has the wrong sign. After a whole year it fits again.
#
# So the classical method deserves a true calendar before we judge it. Take the tooth from the season curve, which is a function of the *date*, fitted on the training years, and
# let level and growth follow what is left: **Holt's method**, Holt-Winters without a season.

# %%
coming_dates = dates[-1] + 7 * np.arange(1, HORIZONS + 1)
columns = season_columns(np.append(dates, coming_dates))
weights = np.linalg.lstsq(columns[:validation_start], values[:validation_start], rcond=None)[0]
waves = columns[:, 4:] @ weights[4:]  # the tooth in every week, without the cubic
without_tooth = values - waves[:WEEKS]

holt = statsmodels.tsa.holtwinters.ExponentialSmoothing(
    without_tooth[:validation_start], trend="add", initialization_method="estimated"
).fit()
level, growth_a_week = holt.params["initial_level"], holt.params["initial_trend"]
alpha, beta = holt.params["smoothing_level"], holt.params["smoothing_trend"]
remainder = holt_winters(
    without_tooth, level, growth_a_week, np.zeros(YEAR), alpha, beta, gamma=0.0
)
week_told = np.arange(WEEKS)[:, np.newaxis] + np.arange(1, HORIZONS + 1)  # (weeks, 52)
forecasts["Holt, calendar"] = remainder + waves[week_told]

# %% without_learning="data"
by_season = {
    name: np.array(
        [np.abs(errors_of(forecasts[name], h, VALIDATION_WEEKS)).mean() for h in (1, 26, 52)]
    )
    for name in ("Holt-Winters", "Holt, calendar")
}
claim(
    "With the season by date, Holt's errors are smaller at 1, 26 and 52 weeks, and less than half at 26",
    bool(
        np.all(by_season["Holt, calendar"] < 0.97 * by_season["Holt-Winters"])
        and by_season["Holt, calendar"][1] < 0.5 * by_season["Holt-Winters"][1]
    ),
    ", ".join(f"{name} {sizes.round(2)} ppm" for name, sizes in by_season.items()),
)

# %% [markdown]
# Before you believe that a network beats a classical method, give that method the same care.

# %% [markdown]
# ## Windows
#
# A network wants examples: inputs and targets. Cut the series: the inputs are the last weeks up to an origin, the targets the 52 weeks after it. The next
# origin is one week later, so neighbouring windows share almost everything.

# %% [markdown]
# ![Three rows of five filled input cells followed by three dashed target cells. Each row begins one week later. The targets of the third row reach over a dotted line, the border to the validation weeks, and it is dropped.](../../../images/forecast_windows.png)

# %% [markdown]
# The border is the trap. A training window must have *all* its targets before the validation years. A validation window may reach back with its
# inputs: at its origin that past is known.


# %% tags=["setup"]
def windows(values, length, horizons=HORIZONS):
    """Inputs and targets of every origin from length - 1 on.

    Returns origins (n,), inputs (n, length) and targets (n, horizons), NaN where the series ends before the target.
    """
    origins = np.arange(length - 1, len(values))
    longer = np.append(values, np.full(horizons, np.nan))
    inputs = longer[origins[:, np.newaxis] + np.arange(1 - length, 1)]
    targets = longer[origins[:, np.newaxis] + np.arange(1, horizons + 1)]
    return origins, inputs, targets


# %% without_learning="arithmetic"
ours_alike = []
for horizon in (1, 52):
    _, inputs, targets = windows(values, length=156)
    dataset = keras.utils.timeseries_dataset_from_array(
        values[:-horizon], values[156 - 1 + horizon :], sequence_length=156, batch_size=512
    )
    theirs = [np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True)]
    ours_alike += [
        np.array_equal(inputs[:-horizon], theirs[0]),
        np.array_equal(targets[:-horizon, horizon - 1], theirs[1]),
    ]
claim(
    "Our windows and targets are those of keras.utils.timeseries_dataset_from_array",
    all(ours_alike),
    f"{len(theirs[0]):,} windows of 156 weeks compared at horizons 1 and 52",
)

# %% [markdown]
# All methods from here on see the last 156 weeks, three years. The first is the classical rival of every network that follows: a linear
# **autoregression**, a weighted sum of the weeks in the window for each of the 52 targets. It sees each window minus its last value and tells the change
# against the last value; why, the next section shows. (Ridge: squared weights are penalized, lesson 2.4.) The penalty is chosen on the validation years.

# %%
LENGTH = 156  # weeks in a window
origins, inputs, targets = windows(values, LENGTH)  # (n,), (n, 156) and (n, 52) in ppm
last_values = inputs[:, -1:]
in_training = origins + HORIZONS < validation_start


def linear_forecasts(inputs, targets, origins, penalty):
    """Forecasts (weeks, 52) of a ridge regression of the changes, trained on the training years."""
    training, last = origins + HORIZONS < validation_start, inputs[:, -1:]
    model = sklearn.linear_model.Ridge(alpha=penalty)
    model.fit((inputs - last)[training, :-1], (targets - last)[training])
    result = np.full((WEEKS, HORIZONS), np.nan)
    result[origins] = last + model.predict((inputs - last)[:, :-1])
    return result


def mean_errors(forecasts, weeks):
    """MAE in ppm 1 week and 52 weeks ahead: (2,)."""
    return np.array([np.abs(errors_of(forecasts, h, weeks)).mean() for h in (1, HORIZONS)])


# %% without_learning="data"
candidates = {
    penalty: linear_forecasts(inputs, targets, origins, penalty) for penalty in (1, 10, 100, 1000)
}
for penalty, result in candidates.items():
    print(f"penalty {penalty:4d}: MAE {mean_errors(result, VALIDATION_WEEKS).round(3)} ppm")
best_penalty = min(candidates, key=lambda p: mean_errors(candidates[p], VALIDATION_WEEKS).sum())
forecasts["linear"] = candidates[best_penalty]
claim(
    "In the validation years the linear autoregression beats Holt-Winters at both horizons",
    bool(
        np.all(
            mean_errors(forecasts["linear"], VALIDATION_WEEKS)
            < 0.95 * mean_errors(forecasts["Holt-Winters"], VALIDATION_WEEKS)
        )
    ),
    f"1 and 52 weeks: linear {mean_errors(forecasts['linear'], VALIDATION_WEEKS).round(3)}, "
    f"Holt-Winters {mean_errors(forecasts['Holt-Winters'], VALIDATION_WEEKS).round(3)} ppm",
)

# %% [markdown]
# ## A network cannot go where it has never been
#
# The obvious inputs are the values themselves, scaled to mean 0 and standard deviation 1. Both numbers come from the *training years*: the
# mean of the whole series would tell the network how high the future rises. The obvious targets are the next values, scaled alike.
#
# But the air climbs. In the validation years most values are higher than all that the network has seen. Predict what an LSTM (lesson
# 4.1), whose outputs all lie between −1 and 1, will do there, and what a dense network of ReLU neurons will do.
#
# Every network here tells all 52 horizons at once: a **direct** forecast. To spare the LSTM a chain of 156 steps it reads 13 steps of
# 12 weeks each (such pieces are called **patches**). Several networks train side by side in one model, as in lesson 2.2.


# %%
STEPS, PATCH = 13, 12  # 13 * 12 = 156 weeks


def forecaster(*hidden, outputs=HORIZONS):
    """A network from a window (156,) through hidden layers to the 52 horizons; it starts with forecasting zero."""
    last_layer = keras.layers.Dense(outputs, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((LENGTH,)), *hidden, last_layer])


def dense_network(outputs=HORIZONS):
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    return forecaster(*hidden, outputs=outputs)


def lstm_network():
    return forecaster(keras.layers.Reshape((STEPS, PATCH)), keras.layers.LSTM(32))


# %%
def train(networks, inputs, targets, epochs, learning_rate, loss="mse"):
    """Train networks side by side on inputs (n, 156) and targets (n, 52), in one pass over `epochs` shuffled copies."""
    batch_size, generator = 64, np.random.default_rng(SEED)
    order = np.concatenate([generator.permutation(len(inputs)) for _ in range(epochs)])
    window = keras.Input(inputs.shape[1:])
    outputs = [network(window) for network in networks]
    model = keras.Model(window, keras.layers.Concatenate()(outputs) if outputs[1:] else outputs[0])
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, len(order) // batch_size)
    model.compile(keras.optimizers.Adam(schedule), loss)
    copies = np.tile(targets, (1, len(networks)))
    model.fit(inputs[order], copies[order], batch_size=batch_size, shuffle=False, verbose=0)


# %%
training_mean, training_std = values[:validation_start].mean(), values[:validation_start].std()
scaled_levels = ((inputs - training_mean) / training_std).astype("float32")
scaled_targets = ((targets - training_mean) / training_std).astype("float32")
level_networks = {"LSTM": lstm_network(), "dense": dense_network()}
train(
    list(level_networks.values()),
    scaled_levels[in_training],
    scaled_targets[in_training],
    epochs=20,
    learning_rate=1e-2,
)

# %% [markdown]
# Now the same two networks on **changes**: from every value of the window subtract the window's last one, and let the targets
# be the changes against it too. A network that says zero is then the naive forecast. The scales come from the training windows: one for
# the inputs, and one for each horizon, because a week changes the air less than half a year and all 52 should count.

# %%
input_scale = (inputs - last_values)[in_training].std()
target_scale = (targets - last_values)[in_training].std(axis=0)  # (52,)
changes = ((inputs - last_values) / input_scale).astype("float32")  # (n, 156)
target_changes = ((targets - last_values) / target_scale).astype("float32")  # (n, 52)
RUNS = 3  # networks of each kind


def forecasts_from(network, inputs=changes):
    """What a network of changes forecasts from every origin, in ppm: (weeks, 52)."""
    result = np.full((WEEKS, HORIZONS), np.nan)
    result[origins] = last_values + keras.ops.convert_to_numpy(network(inputs)) * target_scale
    return result


# %%
networks = {
    "dense": [dense_network() for _ in range(RUNS)],
    "LSTM": [lstm_network() for _ in range(RUNS)],
}
for kind, learning_rate in (("dense", 5e-3), ("LSTM", 1e-2)):
    train(
        networks[kind],
        changes[in_training],
        target_changes[in_training],
        epochs=20,
        learning_rate=learning_rate,
    )
runs = {
    kind: [forecasts_from(network) for network in members] for kind, members in networks.items()
}

# %%
level_forecasts = {}
for kind, network in level_networks.items():
    level_forecasts[kind] = np.full((WEEKS, HORIZONS), np.nan)
    scaled = keras.ops.convert_to_numpy(network(scaled_levels))
    level_forecasts[kind][origins] = training_mean + training_std * scaled
on_levels = {kind: mean_errors(level_forecasts[kind], VALIDATION_WEEKS)[0] for kind in runs}
on_changes = {kind: mean_errors(runs[kind][0], VALIDATION_WEEKS)[0] for kind in runs}
for kind in runs:
    print(f"{kind:5s}  levels {on_levels[kind]:.2f} ppm, changes {on_changes[kind]:.2f} ppm")

# %%
seen_weeks = np.arange(LENGTH + HORIZONS, validation_start)
seen_error = mean_errors(level_forecasts["LSTM"], seen_weeks)[0]
highest = values[:validation_start].max()
highest_told = level_forecasts["LSTM"][VALIDATION_WEEKS - 1, 0].max()
claim(
    "The LSTM on levels fits its training years to 3 ppm, misses later ones by three times as much, and tells at most 2 ppm above their highest value",
    bool(
        3 * seen_error < min(9, on_levels["LSTM"])
        and highest_told < highest + 2 < values[test_start - 1]
    ),
    f"MAE {seen_error:.2f} ppm in training, {on_levels['LSTM']:.2f} later; highest training value {highest:.1f}, highest forecast {highest_told:.1f}, highest validation value {values[VALIDATION_WEEKS].max():.1f} ppm",
)
claim(
    "One week ahead the LSTM on levels is worse than repeating last year, on changes it beats the naive forecast",
    bool(
        on_levels["LSTM"] > 2 * mae_of["seasonal naive", 1]
        and on_changes["LSTM"] < 0.9 * mae_of["naive", 1]
    ),
    f"levels {on_levels['LSTM']:.2f}, last year {mae_of['seasonal naive', 1]:.2f}, changes {on_changes['LSTM']:.2f}, naive {mae_of['naive', 1]:.2f} ppm",
)
claim(
    "The dense ReLU network survives on levels, but changes serve it better too",
    bool(
        on_changes["dense"] < 0.9 * on_levels["dense"]
        and on_levels["dense"] < 0.5 * on_levels["LSTM"]
    ),
    f"levels {on_levels['dense']:.2f} ppm, changes {on_changes['dense']:.2f} ppm",
)

# %% alt="CO2 from 1984 to 1991. The measured saw climbs on; the LSTM's one-week forecasts on levels have a smaller tooth, flatten near the highest training value and fall ever further behind."
shown = np.arange(validation_start - 2 * YEAR, test_start)
plt.plot(dates[shown], values[shown], color="0.6", linewidth=4)
plt.plot(dates[shown], level_forecasts["LSTM"][shown - 1, 0], color=COLOURS["red"])
plt.axhline(highest, color="black", linestyle=":", linewidth=1)
plt.annotate("highest training value", (dates[shown[0]], highest + 0.4))
plt.annotate("measured", (dates[test_start - 190], 357), color="0.4")
plt.annotate("LSTM on levels, 1 week ahead", (dates[test_start - 165], 342), color=COLOURS["red"])
plt.ylim(339, 361)
plt.xlabel("year")
plt.ylabel("CO2 (ppm)")
plt.title("An LSTM meets values it has never seen")
plt.show()

# %% [markdown]
# The red tooth shrinks as the values come near the highest that the LSTM has been trained on, and then the line stays there. Its inputs grow on, but a weighted sum
# of 32 numbers between −1 and 1 has a largest value, and nothing in the training years asks for a larger one. A ReLU network goes on in a straight line (lesson 2.2),
# which is better and not good. So change the *question*: in changes, late years look much like early ones.

# %% [markdown]
# ## Four ways to read a window
#
# The third network is convolutional. For time a convolution is made **causal**: the output at step $t$ uses steps up to $t$ only. With kernel size 2 it
# sees two steps. To see far without many layers, each layer skips more: with **dilation** $d$ the second input lies $d$ steps back. By hand: kernel
# (1, 10) on the series 1, 2, 3, 4 with dilation 2 gives $1 \cdot x_{t-2} + 10\, x_t$: 10, 20, 31, 42.

# %% [markdown]
# ![Four rows of eight circles. Lines join each circle to the one below it and to one 1, 2 or 4 steps earlier. The last circle on top is joined through them to all eight inputs.](../../../images/dilated_convolution.png)

# %% [markdown]
# Each layer of kernel size $k$ and dilation $d$ reaches $(k - 1)\, d$ steps further back, so a stack sees $1 + (k - 1) \sum d$ steps. Dilations 1, 2, 4 and 8
# see 16, enough for our 13.


# %% without_learning="arithmetic"
def causal_convolution(x, kernel, bias, dilation):
    """x: (steps, channels), kernel: (size, channels, filters), bias: (filters,). Returns (steps, filters)."""
    reach = (len(kernel) - 1) * dilation
    padded = np.concatenate([np.zeros((reach, x.shape[1])), x])  # nothing before the first step
    taps = [padded[tap * dilation :][: len(x)] @ kernel[tap] for tap in range(len(kernel))]
    return np.sum(taps, axis=0) + bias


by_hand = causal_convolution(np.c_[1.0:5.0], np.array([[[1.0]], [[10.0]]]), np.zeros(1), dilation=2)
differences = []
for size, dilation in ((2, 1), (2, 8), (3, 4)):
    layer = keras.layers.Conv1D(
        5, size, dilation_rate=dilation, padding="causal", bias_initializer="normal"
    )
    x = np.random.default_rng(SEED).normal(size=(STEPS, PATCH)).astype("float32")
    keras_answer = keras.ops.convert_to_numpy(layer(x[np.newaxis]))[0]
    ours = causal_convolution(x, *layer.get_weights(), dilation)
    differences.append(np.abs(ours - keras_answer).max())
claim(
    "Our dilated causal convolution is Keras's Conv1D, and gives 10, 20, 31, 42 by hand",
    bool(max(differences) < 1e-5 and by_hand[:, 0].tolist() == [10, 20, 31, 42]),
    f"largest difference {max(differences):.0e}",
)


# %%
def convolutional_network():
    hidden = [
        keras.layers.Conv1D(
            32, 2, dilation_rate=dilation, padding="causal", activation="relu"
        )  # (n, 13, 32)
        for dilation in (1, 2, 4, 8)
    ]
    last_step = [keras.layers.Cropping1D((STEPS - 1, 0)), keras.layers.Flatten()]  # (n, 32)
    return forecaster(keras.layers.Reshape((STEPS, PATCH)), *hidden, *last_step)


networks["convolutional"] = [convolutional_network() for _ in range(RUNS)]
train(
    networks["convolutional"],
    changes[in_training],
    target_changes[in_training],
    epochs=15,
    learning_rate=5e-3,
)
runs["convolutional"] = [forecasts_from(network) for network in networks["convolutional"]]

# %%
print("validation years, MAE in ppm    1 week            52 weeks       parameters")
for name in forecasts:
    first, second = mean_errors(forecasts[name], VALIDATION_WEEKS)
    print(f"{name:28s} {first:8.3f} {second:18.3f}")
run_errors = {  # kind: (runs, 2)
    kind: np.array([mean_errors(result, VALIDATION_WEEKS) for result in results])
    for kind, results in runs.items()
}
for kind, errors in run_errors.items():
    (first, second), (spread, second_spread) = errors.mean(axis=0), errors.std(axis=0)
    size = networks[kind][0].count_params()
    print(f"{kind:28s} {first:8.3f} ± {spread:.3f} {second:10.3f} ± {second_spread:.3f} {size:11,}")

# %%
holt_winters_errors = mean_errors(forecasts["Holt-Winters"], VALIDATION_WEEKS)
linear_errors = mean_errors(forecasts["linear"], VALIDATION_WEEKS)
claim(
    "One week ahead every run of every network beats the three calendars and Holt-Winters with its season of 52 weeks",
    bool(
        max(errors[:, 0].max() for errors in run_errors.values())
        < min(holt_winters_errors[0], mae_of["naive", 1])
    ),
    f"worst network run {max(errors[:, 0].max() for errors in run_errors.values()):.3f}, Holt-Winters {holt_winters_errors[0]:.3f} ppm",
)


# %%
classical = [
    mean_errors(forecasts[name], VALIDATION_WEEKS) for name in ("Holt, calendar", "linear")
]
claim(
    "One week ahead the dense network, the linear regression and Holt with a calendar are within a twentieth of each other",
    bool(
        np.ptp([run_errors["dense"][:, 0].mean(), *(c[0] for c in classical)])
        < 0.05 * classical[0][0]
    ),
    f"dense {run_errors['dense'][:, 0].mean():.3f}, linear {classical[1][0]:.3f}, Holt {classical[0][0]:.3f} ppm",
)
claim(
    "With these data neither the LSTM nor the convolutional network beats the dense one, at either horizon",
    bool(
        np.all(
            np.minimum(run_errors["LSTM"].mean(axis=0), run_errors["convolutional"].mean(axis=0))
            > run_errors["dense"].mean(axis=0)
        )
    ),
    ", ".join(f"{kind} {errors.mean(axis=0).round(3)}" for kind, errors in run_errors.items()),
)

# %% [markdown]
# One week ahead all networks are better than the simple calendars and plain Holt-Winters. Yet the linear regression and the repaired Holt do as well as the
# best network, and better than the other two: with about a thousand windows that share most of their weeks, a tooth, a level and weighted sums of the past are
# nearly all there is to find. (On benchmarks of long forecasts Zeng and others, 2022, report linear models ahead
# of transformers; others dispute it.)
# LSTM and convolution are built to find a pattern *wherever* in time it stands. Here it always stands at the same place, 52 weeks back,
# and the dense network has a weight for exactly that place: a likely reason, not a proof.
#
# Which horizons are hard? Predict the shape of the curve of the error between 1 and 52 weeks.

# %%
horizons = np.arange(1, HORIZONS + 1)


def error_curve(forecast):
    return [np.abs(errors_of(forecast, h, VALIDATION_WEEKS)).mean() for h in horizons]


# %% alt="Error against horizon from 1 to 52 weeks. Seasonal naive is flat far above the others. Naive leaves the picture after a few weeks and comes back at the end. Holt-Winters makes a hump with its top near half a year. The drift is flat; Holt with a calendar, linear and dense start at half of it, rise slowly and meet it at the end."
curves = {
    "naive": ("0.5", ":", (5, 1.33)),
    "seasonal naive": ("0.5", "--", (33, 1.53)),
    "with drift": ("black", "-.", (10, 0.6)),
    "Holt-Winters": (COLOURS["orange"], "--", (19, 1.31)),
    "Holt, calendar": (COLOURS["purple"], "--", (36, 0.65)),
    "linear": (COLOURS["green"], ":", (15, 0.33)),
}
for name, (colour, style, place) in curves.items():
    plt.plot(horizons, error_curve(forecasts[name]), style, color=colour)
    plt.annotate(name, place, color="black")
plt.plot(
    horizons, np.mean([error_curve(run) for run in runs["dense"]], axis=0), color=COLOURS["blue"]
)
plt.annotate("dense (solid)", (27, 0.38), color="black")
plt.ylim(0.2, 1.8)
plt.xlabel("horizon (weeks)")
plt.ylabel("MAE (ppm), validation years")
plt.title("How the error grows with the horizon")
plt.show()

# %% [markdown]
# All careful methods know most about the next weeks, where the newest values say how the air departs from its calendar. This knowledge fades within a few
# months. At 52 weeks what counts is the growth of the coming year, and hardly anything in the past tells it: all good methods meet the
# drift there. The hump is Holt-Winters with the wrong year.

# %% [markdown]
# ## One forecast of 52 weeks, or 52 forecasts of one week
#
# Instead of telling all 52 horizons at once, a network can tell one week, take its own forecast as the newest value, and go on: a
# **recursive** forecast. It needs one output only. What may go wrong? (Compare *free running* and *teacher forcing* in lesson 4.2.)


# %%
def recursive_forecast(network, windows, steps=HORIZONS):
    """Forecasts (n, steps) in ppm that use only the network's first output, from windows (n, 156) in ppm."""
    told = []
    for _ in range(steps):
        last = windows[:, -1:]
        scaled = ((windows - last) / input_scale).astype("float32")
        next_week = last + keras.ops.convert_to_numpy(network(scaled))[:, :1] * target_scale[0]
        told.append(next_week)
        windows = np.concatenate(
            [windows[:, 1:], next_week], axis=1
        )  # its forecast is now an input
    return np.concatenate(told, axis=1)


# %%
asked = (origins >= validation_start - HORIZONS) & (origins < test_start)
recursive_runs = []
for network in networks["dense"]:
    result = np.full((WEEKS, HORIZONS), np.nan)
    result[origins[asked]] = recursive_forecast(network, inputs[asked])
    recursive_runs.append(result)
recursive_errors = np.array([mean_errors(run, VALIDATION_WEEKS) for run in recursive_runs])
claim(
    "At 52 weeks the same networks are worse when they feed on their own forecasts than when they tell the week directly",
    bool(
        recursive_errors[:, 1].mean() > 1.03 * run_errors["dense"][:, 1].mean()
        and np.allclose(recursive_errors[:, 0], run_errors["dense"][:, 0], atol=1e-4)
    ),
    f"52 weeks: recursive {recursive_errors[:, 1].round(3)}, direct {run_errors['dense'][:, 1].round(3)} ppm; at one week they are the same",
)

# %% [markdown]
# Training asked the one-week output for small errors after *true* weeks. It never learned what to do after its own slips, and 52 small ones add up. The
# direct forecast is trained for exactly what it is asked. In exchange it knows 52 horizons and no more.

# %% [markdown]
# ## How to fool yourself: a random split
#
# Lesson 2.4 split examples at random. Do it with windows, and each validation window has training windows beside it that share all but one of its weeks, and whose
# targets are next to its own. To see what this is worth we take windows of the validation years, put a random half of them into the training set,
# and score the *same other half* twice: after honest training, and after leaking training.
#
# Two learners: our dense network, and a nearest-neighbour rule that knows *only the number of the week*, nothing of the air. Its honest score is
# that of someone who has stopped looking in 1985. Predict its score in the random split.

# %%
between = (origins + 1 >= validation_start) & (origins + HORIZONS < test_start)
leaking = between & (np.random.default_rng(SEED).random(len(origins)) < 0.5)
scored = between & ~leaking
split_errors = {}
for split, chosen in (("honest", in_training), ("random", in_training | leaking)):
    neighbours = sklearn.neighbors.KNeighborsRegressor(2)
    neighbours.fit(origins[chosen, np.newaxis], (targets - last_values)[chosen])
    week_only = last_values + neighbours.predict(origins[:, np.newaxis])
    split_errors["week number", split] = np.abs(week_only - targets)[scored, -1].mean()
    members = [dense_network() for _ in range(RUNS)]
    train(members, changes[chosen], target_changes[chosen], epochs=40, learning_rate=5e-3)
    results = [forecasts_from(member)[origins] for member in members]
    split_errors["dense", split] = np.abs(results - targets)[:, scored, -1].mean()

# %%
for learner in ("week number", "dense"):
    honest, random = split_errors[learner, "honest"], split_errors[learner, "random"]
    print(f"{learner:12s} 52 weeks: honest split {honest:.3f} ppm, random split {random:.3f} ppm")
claim(
    "In the random split a rule that knows only the week's number beats every honest forecast at 52 weeks; honestly it loses to the network",
    bool(
        split_errors["week number", "random"] < 0.9 * split_errors["dense", "honest"]
        and split_errors["week number", "honest"] > split_errors["dense", "honest"]
    ),
    f"week number {split_errors['week number', 'random']:.3f} in the random split, {split_errors['week number', 'honest']:.3f} honestly; dense {split_errors['dense', 'honest']:.3f}",
)
claim(
    "The random split flatters the network too",
    bool(split_errors["dense", "random"] < 0.97 * split_errors["dense", "honest"]),
    f"{split_errors['dense', 'random']:.3f} instead of {split_errors['dense', 'honest']:.3f} ppm on the same weeks",
)

# %% [markdown]
# The rule that knows nothing wins, because it looks up the answer next door. So the random split does not only promise too much; it chooses the *wrong model*. The same
# happens, more quietly, when a scale, a season curve or a filling comes from the whole series. Ask of every number: could I know it at the origin?

# %% [markdown]
# ## How sure is the forecast?
#
# "371 ppm" is half a forecast. "369.5 to 372.5, nine times in ten" is a whole one: a **prediction interval**. How often the truth really falls into it is its
# **coverage**, and that you can measure. Two ways to get one.
#
# **From past errors (conformal).** Take $n$ errors from years that the network was not trained on, here the validation years, and
# let the interval be the forecast $\pm r$. How large must $r$ be? If the next error is of the same kind as the $n$ past ones, its rank among all $n + 1$
# sizes is equally likely to be any of $1, \dots, n + 1$. So it is at most the $k$-th smallest of the past with probability at least $k / (n + 1)$. For
# a coverage of 0.9 take the smallest $k$ with $k / (n + 1) \ge 0.9$, which is $k = \lceil 0.9\,(n + 1) \rceil$. Nothing is assumed of the shape of the errors.


# %% without_learning="data"
COVERAGE = 0.9


def conformal_radius(sizes, coverage=COVERAGE):
    """The k-th smallest of the sizes (n,) of past errors, k = ceil(coverage * (n + 1))."""
    rank = int(np.ceil(coverage * (len(sizes) + 1)))
    return np.sort(sizes)[rank - 1]


generator = np.random.default_rng(SEED)
few_errors = np.abs(generator.standard_t(3, size=(20_000, 20)))  # 19 past errors and the next
radii = np.array([conformal_radius(past) for past in few_errors[:, :-1]])
covered = (few_errors[:, -1] <= radii).mean()
plain = (few_errors[:, -1] <= np.quantile(few_errors[:, :-1], COVERAGE, axis=1)).mean()
claim(
    "With independent errors of any shape 19 past ones are enough for the promised coverage, which the plain quantile misses",
    bool(abs(covered - COVERAGE) < 0.01 and plain < COVERAGE - 0.02),
    f"conformal {covered:.3f}, plain quantile {plain:.3f} of 20,000 trials",
)

# %% [markdown]
# **From a network that tells quantiles.** The quantile $q$ of next year's value is the number that it stays below with probability $q$. A network learns it with the
# **pinball loss**
#
# $$L_q(y, \hat y) = \max\bigl(q\,(y - \hat y),\; (q - 1)(y - \hat y)\bigr).$$
#
# For $q = 0.9$ a forecast that is 1 ppm too low costs 0.9, one that is 1 ppm too high 0.1. Raise the forecast a little: the loss falls by $q$ for all truths above it,
# a share $P(y > \hat y)$, and rises by $1 - q$ for those below, $P(y < \hat y)$. At the minimum both balance: $q\,P(y > \hat y) = (1 - q)\,P(y < \hat y)$, which
# holds where $P(y < \hat y) = q$. For $q = 1/2$ it is half the absolute error, and the median.

# %% without_learning="arithmetic"
QUANTILES = (0.05, 0.5, 0.95)


def pinball(true, predicted, quantile):
    error = true - predicted
    return keras.ops.maximum(quantile * error, (quantile - 1) * error)


sample = np.random.default_rng(SEED).gamma(2.0, size=999)
grid = np.sort(sample)
differences, places = [], []
for quantile in QUANTILES:
    losses = [float(keras.ops.mean(pinball(sample, guess, quantile))) for guess in grid]
    theirs = sklearn.metrics.mean_pinball_loss(sample, np.full(999, grid[100]), alpha=quantile)
    differences.append(abs(losses[100] - theirs))
    places.append((np.argmin(losses) + 1) / 999)  # the share of the sample up to the best guess
claim(
    "The pinball loss is scikit-learn's, and the guess with the smallest loss is the sample's quantile",
    bool(max(differences) < 1e-6 and np.allclose(places, QUANTILES, atol=0.002)),
    f"best guesses at the shares {np.round(places, 3)}, largest difference {max(differences):.0e}",
)


# %%
def quantile_loss(true, predicted):
    """Mean pinball loss. true: (batch, 52), predicted: (batch, 52 * 3)."""
    predicted = keras.ops.reshape(predicted, (-1, HORIZONS, len(QUANTILES)))
    quantiles = keras.ops.array(QUANTILES, dtype="float32")
    return keras.ops.mean(pinball(true[..., np.newaxis], predicted, quantiles))


quantile_network = dense_network(outputs=HORIZONS * len(QUANTILES))
train(
    [quantile_network],
    changes[in_training],
    target_changes[in_training],
    epochs=20,
    learning_rate=2e-3,
    loss=quantile_loss,
)
told = keras.ops.convert_to_numpy(quantile_network(changes)).reshape(-1, HORIZONS, 3)
bands = np.full((WEEKS, HORIZONS, 3), np.nan)  # from every origin: low, middle, high in ppm
bands[origins] = last_values[..., np.newaxis] + told * target_scale[:, np.newaxis]


# %%
def inside(bands, horizon, weeks):
    """Whether each target week (n,) lies in the band forecast from `horizon` weeks before: (n,)."""
    low, _, high = bands[weeks - horizon, horizon - 1].T
    return (low <= values[weeks]) & (values[weeks] <= high)


for horizon in (1, 52):
    coverages = [inside(bands, horizon, weeks).mean() for weeks in (seen_weeks, VALIDATION_WEEKS)]
    print(
        f"{horizon:2d} weeks: coverage in training {coverages[0]:.3f}, validation {coverages[1]:.3f}"
    )

# %% [markdown]
# On the years it was trained on, the network's quantiles are right. On new years they are a little too narrow, for a network is always surer of what it has
# learned by heart. The remedy joins both ways (conformalized quantile regression, Romano and others, 2019): widen the band on both sides by
# the conformal radius of how far the validation values lie *outside* it (inside counts as negative).

# %%
dense_mean = np.mean(runs["dense"], axis=0)  # the mean forecast of the runs
conformal_bands = np.full((WEEKS, HORIZONS, 3), np.nan)
mended_bands = bands.copy()
for horizon in horizons:
    radius = conformal_radius(np.abs(errors_of(dense_mean, horizon, VALIDATION_WEEKS)))
    conformal_bands[:, horizon - 1] = dense_mean[:, horizon - 1, np.newaxis] + [-radius, 0, radius]
    low, _, high = bands[VALIDATION_WEEKS - horizon, horizon - 1].T
    truth = values[VALIDATION_WEEKS]
    mended_bands[:, horizon - 1] += conformal_radius(
        np.maximum(low - truth, truth - high)
    ) * np.array([-1, 0, 1])

# %% [markdown]
# ## The test years, once
#
# All choices are made. Now the ten closed years: 522 target weeks, each forecast from 1 and from 52 weeks before. Write down who you think wins at each horizon.

# %%
print("test years           1 week: MAE   RMSE   MASE    52 weeks: MAE   RMSE   MASE")
everything = {name: [forecast] for name, forecast in forecasts.items()} | runs
test_mae = {}
for name, results in everything.items():
    rows = [
        np.mean(
            [measures(errors_of(run, h, TEST_WEEKS), seasonal_scale) for run in results], axis=0
        )
        for h in (1, 52)
    ]
    test_mae[name] = np.array([mean_errors(run, TEST_WEEKS) for run in results])  # (runs, 2)
    print(f"{name:22s}" + "              ".join(" ".join(f"{x:6.3f}" for x in row) for row in rows))

# %% tags=["headline"]
simple = ("naive", "seasonal naive", "with drift", "Holt-Winters")
simple_best = np.min([test_mae[name][0] for name in simple], axis=0)  # at each horizon
dense_errors = test_mae["dense"].mean(axis=0)
claim(
    "In ten unseen years every dense network beats seasonal naive, the drift and Holt-Winters, one week and one year ahead",
    bool(np.all(test_mae["dense"].max(axis=0) < 0.97 * simple_best)),
    f"MAE 1 and 52 weeks ahead: dense {dense_errors.round(2)} ppm, best of those {simple_best.round(2)} ppm",
)

# %%
careful_best = np.min([test_mae[name][0] for name in ("Holt, calendar", "linear")], axis=0)
gain = 1 - dense_errors / careful_best
claim(
    "Against the best careful classical method it gains less than a twentieth at one week, and less than a tenth at one year",
    bool(abs(gain[0]) < 0.05 and 0.01 < gain[1] < 0.1),
    f"dense {dense_errors.round(3)}, best of Holt with a calendar and linear {careful_best.round(3)} ppm",
)
recurrent, convolved = (test_mae[kind].mean(axis=0) for kind in ("LSTM", "convolutional"))
claim(
    "LSTM and convolutional network lose to both careful classical methods at one week, and beat the drift at one year",
    bool(
        min(recurrent[0], convolved[0])
        > max(test_mae[name][0, 0] for name in ("Holt, calendar", "linear"))
        and max(recurrent[1], convolved[1]) < test_mae["with drift"][0, 1]
    ),
    f"LSTM {recurrent.round(3)}, convolutional {convolved.round(3)} ppm",
)

# %% alt="CO2 of the test years 1992 to 2001 with the dense network's forecasts from 52 weeks before as a line in a shaded band. The measured line runs inside the band, except in 1998 and early 1999, where it lies above it."
middle, low, high = conformal_bands[TEST_WEEKS - 52, 51][:, [1, 0, 2]].T
plt.fill_between(dates[TEST_WEEKS], low, high, color="0.85")
plt.plot(dates[TEST_WEEKS], middle, color=COLOURS["blue"], linewidth=1.5)
plt.plot(dates[TEST_WEEKS], values[TEST_WEEKS], color=COLOURS["red"], linewidth=1.3, linestyle="--")
plt.annotate(
    "forecast from 52 weeks before\n(solid), interval for 9 in 10 (grey)",
    (dates[test_start + 5], 367),
)
plt.annotate("measured (dashed)", (dates[test_start + 330], 358), color=COLOURS["red"])
plt.xlabel("year")
plt.ylabel("CO2 (ppm)")
plt.title("A year ahead, in years that no choice has seen")
plt.show()

# %% [markdown]
# Find where the dashed line leaves the band for long: in 1998 the air gained far more than in other years. It was a year of a strong El Niño, and the windows of
# 1997 say nothing of it.
#
# How often is the truth in the band, over all ten years and in each?

# %%
methods = {
    "conformal": conformal_bands,
    "quantile network": bands,
    "quantiles, mended": mended_bands,
}
coverage = {
    (name, horizon): inside(method, horizon, TEST_WEEKS)
    for name, method in methods.items()
    for horizon in (1, 52)
}
for name, method in methods.items():
    for horizon in (1, 52):
        low, _, high = method[TEST_WEEKS - horizon, horizon - 1].T
        print(
            f"{name:18s} {horizon:2d} weeks: coverage {coverage[name, horizon].mean():.3f}, mean width {(high - low).mean():.2f} ppm"
        )

# %% alt="Coverage of the conformal interval in each test year. One week ahead all ten points lie near 0.9. 52 weeks ahead they scatter from far below up to 1."
test_years = np.unique(years[TEST_WEEKS])
by_year = {
    horizon: np.array(
        [coverage["conformal", horizon][years[TEST_WEEKS] == y].mean() for y in test_years]
    )
    for horizon in (1, 52)
}
plt.axhline(COVERAGE, color="0.6", linewidth=1, linestyle="-")
plt.annotate("promised", (2001.1, COVERAGE - 0.015), annotation_clip=False)
plt.plot(test_years, by_year[1], "-o", color=COLOURS["blue"], label="1 week ahead")
plt.plot(test_years, by_year[52], "--s", color=COLOURS["red"], label="52 weeks ahead")
plt.legend(loc="lower right")
plt.ylim(0, 1.05)
plt.xlabel("test year")
plt.ylabel("share of weeks in the interval")
plt.title("Right on average is not right every year")
plt.show()

# %%
radius_shares = []  # of an interval around the last value
for horizon in (1, 52):
    naive_sizes = np.abs(errors_of(forecasts["naive"], horizon, VALIDATION_WEEKS))
    radius = np.ptp(conformal_bands[test_start - horizon, horizon - 1]) / 2
    radius_shares.append(radius / conformal_radius(naive_sizes))
claim(
    "One week ahead the conformal interval keeps its promise of 0.9 to within 0.05, narrower than one around the last value",
    bool(abs(coverage["conformal", 1].mean() - COVERAGE) < 0.05 and radius_shares[0] < 0.9),
    f"coverage {coverage['conformal', 1].mean():.3f} over {len(TEST_WEEKS)} weeks, {radius_shares[0]:.2f} of the width",
)
claim(
    "52 weeks ahead, two thirds as wide or less, it covers between 0.75 and 0.95 of all weeks, but in the worst year at least 0.2 less than promised",
    bool(
        radius_shares[1] < 2 / 3
        and 0.75 < coverage["conformal", 52].mean() < 0.95
        and by_year[52].min() < COVERAGE - 0.2
    ),
    f"{radius_shares[1]:.2f} of the width, coverage {coverage['conformal', 52].mean():.3f}, single years from {by_year[52].min():.2f} to {by_year[52].max():.2f}",
)
claim(
    "The quantile network alone is too sure of next year and covers more than half; mended on the validation years it covers more",
    bool(
        0.5 < coverage["quantile network", 52].mean() < COVERAGE - 0.02
        and coverage["quantiles, mended", 52].mean() > coverage["quantile network", 52].mean()
    ),
    f"52 weeks: {coverage['quantile network', 52].mean():.3f}, mended {coverage['quantiles, mended', 52].mean():.3f}",
)

# %% [markdown]
# The proof asked for errors of the same kind. Errors of a year's forecast come in runs: if the growth of 1998 surprises you, it does so for a year of weeks. Six
# validation years are then not 313 examples but about six, and *ten test years about ten*. No method can promise much from six examples.
#
# The same holds for every choice. One of them we did not make on the validation years, the length of the window. Would they have told us the truth?

# %% without_learning="data"
FIVE_YEARS = 260
long_origins, long_inputs, long_targets = windows(values, FIVE_YEARS)
longer = linear_forecasts(long_inputs, long_targets, long_origins, best_penalty)
long_validation, long_test = (
    mean_errors(longer, weeks)[1] for weeks in (VALIDATION_WEEKS, TEST_WEEKS)
)
claim(
    "A year ahead the linear regression with five years in its window wins the validation years by a tenth and loses the test years",
    bool(long_validation < 0.9 * linear_errors[1] and long_test > 1.05 * test_mae["linear"][0, 1]),
    f"52 weeks, five against three years: validation {long_validation:.3f} and {linear_errors[1]:.3f}, test {long_test:.3f} and {test_mae['linear'][0, 1]:.3f} ppm",
)

# %% [markdown]
# They would not. (This was a second look at the test years: a lesson, no test any more.) Keep it in mind for the gain of the dense network at 52 weeks too: ten
# years show that it holds for these ten years.

# %% [markdown]
# ## Common mistakes
#
# - **Splitting windows at random.** Neighbours share their weeks. Split by time, and drop training windows whose targets reach over the border.
# - **Scaling, filling or smoothing with the whole series.** Every number a forecast uses must be known at its origin.
# - **Levels of a series with a trend.** A network has never seen the values to come. Give it changes.
# - **No baseline, or only a weak one.** On a climbing series seasonal naive is easily beaten; add the drift, Holt-Winters and a linear regression, and give them the right calendar.
# - **One origin.** A single forecast of 52 weeks is one example. Roll the origin.
# - **Counting weeks as examples.** Errors of long horizons come in runs; a year of them is about one example.
# - **A point without an interval, or an interval whose coverage nobody measured.**

# %% [markdown]
# ## Exercise: MASE
#
# Return the MASE of forecasts: their MAE divided by the MAE that repeating the value of `season` weeks before has in the *training* values.


# %% tags=["exercise"]
def scaled_error(true, predicted, training_values, season):
    """MASE of predicted (n,) for true (n,). training_values: (weeks,), season: weeks."""
    ### BEGIN SOLUTION
    seasonal_naive = np.abs(training_values[season:] - training_values[:-season]).mean()
    return np.abs(predicted - true).mean() / seasonal_naive
    ### END SOLUTION


# %% tags=["wrong"] says="repeat the value of `season` weeks before"
def scaled_error(true, predicted, training_values, season):  # repeats the last value instead
    return np.abs(predicted - true).mean() / np.abs(np.diff(training_values)).mean()


# %% tags=["wrong"] says="take sizes, not squares"
def scaled_error(true, predicted, training_values, season):  # squares
    scale = np.abs(training_values[season:] - training_values[:-season]).mean()
    return np.sqrt(((predicted - true) ** 2).mean()) / scale


# %% tags=["wrong"] says="errors of both signs cancel"
def scaled_error(true, predicted, training_values, season):  # lets errors cancel
    scale = np.abs(training_values[season:] - training_values[:-season]).mean()
    return np.abs((predicted - true).mean()) / scale


# %% tags=["check"]
with feedback("MASE"):
    check_generator = np.random.default_rng(2)
    for season in (2, 3, 5):
        true, predicted = check_generator.normal(size=(2, 6)).round(2)
        past = check_generator.normal(size=12).cumsum().round(2)
        got = scaled_error(true.copy(), predicted.copy(), past.copy(), season)
        sizes, steps = np.abs(predicted - true), np.abs(past[season:] - past[:-season])
        mistakes = {
            "repeat the value of `season` weeks before, not the last one": sizes.mean()
            / np.abs(np.diff(past)).mean(),
            "take sizes, not squares": np.sqrt((sizes**2).mean()) / steps.mean(),
            "errors of both signs cancel in yours: first the sizes, then the mean": np.abs(
                (predicted - true).mean()
            )
            / steps.mean(),
            "take means, not medians": np.median(sizes) / np.median(steps),
            "that is the MAE: divide by the one of the calendar": sizes.mean(),
        }
        for mistake, value in mistakes.items():
            assert not np.allclose(got, value), mistake
        expected = sizes.mean() / steps.mean()
        assert np.allclose(got, expected), (
            f"a MAE of {sizes.mean():.3f} and one of {steps.mean():.3f} between training weeks that are {season} "
            f"apart have a MASE of {expected:.3f}, yours is {got:.3f}"
        )

# %% [markdown]
# ## Exercise: repair this split
#
# Somebody wrote `origins < border` for the training windows and `origins >= border` for the validation windows. The first has a leak; the second
# throws targets away that it may well use. Return two masks: training windows have *all* targets before week `border`; validation windows have
# *all* targets from week `border` on.


# %% tags=["exercise"]
def split_by_targets(origins, horizons, border):
    """Masks (n,) of training and validation windows. The targets of an origin are the `horizons` weeks after it."""
    ### BEGIN SOLUTION
    return origins + horizons < border, origins + 1 >= border
    ### END SOLUTION


# %% tags=["wrong"] says="a training window has the target week 14, and validation begins with week 12"
def split_by_targets(origins, horizons, border):  # as found
    return origins < border, origins >= border


# %% tags=["wrong"] says="a training window has the target week 12, and validation begins with week 12"
def split_by_targets(origins, horizons, border):  # one week too many in training
    return origins + horizons <= border, origins + 1 >= border


# %% tags=["wrong"] says="a validation window has the target week 10, before the border"
def split_by_targets(origins, horizons, border):  # lets windows count in validation that straddle
    return origins + horizons < border, origins + horizons >= border


# %% tags=["check"]
with feedback("Split by targets"):
    for check_origins, ahead, border in (
        (np.arange(4, 20), 3, 12),
        (np.arange(9, 40), 5, 21),
        (np.arange(2, 9), 1, 6),
    ):
        masks = split_by_targets(check_origins.copy(), ahead, border)
        shapes = [np.shape(mask) for mask in masks]
        assert shapes == 2 * [check_origins.shape], (
            f"two masks of {len(check_origins)} origins are asked, yours have the shapes {shapes}"
        )
        in_first, in_second = np.asarray(masks, bool)
        check_targets = check_origins[:, np.newaxis] + np.arange(1, ahead + 1)
        latest = check_targets[in_first].max(initial=0)
        assert latest < border, (
            f"a training window has the target week {latest}, and validation begins with week {border}"
        )
        earliest = check_targets[in_second].min(initial=99)
        assert earliest >= border, (
            f"a validation window has the target week {earliest}, before the border"
        )
        assert np.array_equal(in_first, check_targets[:, -1] < border), (
            f"all windows with targets up to week {border - 1} may train, yours end with week {latest}"
        )
        assert np.array_equal(in_second, check_targets[:, 0] >= border), (
            f"an origin of {border - 1} has only targets from week {border} on, yours start with {earliest}: inputs may reach back"
        )

# %% [markdown]
# ## Exercise: predict how far a stack sees
#
# How many steps does the last output of causal convolutions see? Predict it for kernel size 3 and dilations 1, 2, 4, then write it for any stack.


# %% tags=["exercise"]
def steps_seen(kernel_size, dilations):
    ### BEGIN SOLUTION
    return 1 + (kernel_size - 1) * sum(dilations)
    ### END SOLUTION


# %% tags=["wrong"] says="the last step itself counts too"
def steps_seen(kernel_size, dilations):  # forgets the step itself
    return (kernel_size - 1) * sum(dilations)


# %% tags=["wrong"] says="layers add to what is seen, and do not multiply it"
def steps_seen(kernel_size, dilations):  # multiplies as if every layer doubled what it sees
    return kernel_size ** len(dilations)


# %% tags=["check"]
with feedback("How far a stack sees"):
    for size, dilations in ((3, [1, 2, 4]), (2, [1, 1, 1]), (5, [3]), (4, [5, 2]), (1, [7, 2])):
        reach = np.ones(1)  # a one at the last step, carried back through the layers
        for dilation in dilations:
            kernel = np.zeros((size - 1) * dilation + 1)
            kernel[::dilation] = 1
            reach = np.convolve(reach, kernel)
        got = steps_seen(size, list(dilations))
        seen = f"kernel size {size} with dilations {dilations} sees {len(reach)} steps, yours says {got}"
        assert got != len(reach) - 1, f"{seen}: the last step itself counts too"
        assert got == len(reach) or got != size ** len(dilations), (
            f"{seen}: layers add to what is seen, and do not multiply it"
        )
        assert got == len(reach), f"{seen}: how far back does each layer reach alone?"

# %% [markdown]
# ## Exercise: a radius that keeps its promise
#
# Return the half width of an interval with the given coverage, from the errors (with signs) of $n$ past forecasts. Where $n$ is too small for any promise, return infinity.


# %% tags=["exercise"]
def interval_radius(errors, coverage):
    """Half width such that the next error lies within it with probability `coverage` at least. errors: (n,)."""
    ### BEGIN SOLUTION
    rank = int(np.ceil(coverage * (len(errors) + 1)))
    return np.inf if rank > len(errors) else np.sort(np.abs(errors))[rank - 1]
    ### END SOLUTION


# %% tags=["wrong"] says="the plain quantile promises too much"
def interval_radius(errors, coverage):  # the plain quantile
    return np.quantile(np.abs(errors), coverage)


# %% tags=["wrong"] says="sort the sizes, without signs"
def interval_radius(errors, coverage):  # forgets the sizes
    rank = int(np.ceil(coverage * (len(errors) + 1)))
    return np.inf if rank > len(errors) else np.sort(errors)[rank - 1]


# %% tags=["wrong"] says="cannot promise 0.95"
def interval_radius(errors, coverage):  # promises with too few errors
    rank = min(int(np.ceil(coverage * (len(errors) + 1))), len(errors))
    return np.sort(np.abs(errors))[rank - 1]


# %% tags=["check"]
with feedback("A radius that keeps its promise"):
    nine = np.array([-9.0, 1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0])
    fifteen = np.random.default_rng(1).normal(size=15).round(2)
    for past, coverage in ((nine, 0.85), (nine, 0.72), (nine, 0.95), (nine, 0.9), (fifteen, 0.5)):
        got, n, sizes = interval_radius(past.copy(), coverage), len(past), np.sort(np.abs(past))
        shares = np.arange(1, n + 1) / (n + 1)  # what each size promises
        told = f"{n} errors and a coverage of {coverage}: yours is {got}"
        if shares[-1] < coverage - 1e-9:
            assert got == np.inf, f"{told}, but {n} errors cannot promise {coverage}"
            continue
        rank = np.flatnonzero(shares > coverage - 1e-9)[0] + 1
        assert not np.isclose(got, np.quantile(sizes, coverage)) or got == sizes[rank - 1], (
            f"{told}; the plain quantile promises too much"
        )
        assert not np.isclose(got, np.sort(past)[rank - 1]) or got == sizes[rank - 1], (
            f"{told}; sort the sizes, without signs"
        )
        assert got >= sizes[rank - 1], f"{told}, too small: the next error counts too, n + 1 in all"
        assert np.isclose(got, sizes[rank - 1]), f"{told}; {sizes[rank - 1]} is already enough"

# %% [markdown]
# ## Exercise: beat this baseline (open)
#
# Forecast the week that comes 52 weeks after the end of `history`, with any method that trains in no time. Get the MAE of the validation
# years below 0.7 ppm, less than half of what repeating the last value misses, and let it continue a straight line. Then try to beat the drift, whose MAE stands in the tables above. Your function
# gets only the past, so it cannot leak.


# %% tags=["exercise"]
def forecast_a_year_ahead(history):
    """One number in ppm. history: (weeks,), at least 27 years."""
    ### BEGIN SOLUTION
    ten_years = 522  # weeks
    return history[-1] + (history[-1] - history[-1 - ten_years]) / 10
    ### END SOLUTION


# %% tags=["wrong"] says="add the growth of a year"
def forecast_a_year_ahead(history):  # seasonal naive
    return history[-1]


# %% tags=["wrong"] says="average it over many years"
def forecast_a_year_ahead(history):  # one year's growth is mostly chance
    return 2 * history[-1] - history[-53]


# %% tags=["check"]
your_mae = np.inf
with feedback("A year ahead"):
    for slope in (0.5, -0.1):  # a week
        line = 340 + slope * np.arange(27 * 52)
        added = forecast_a_year_ahead(line.copy()) - line[-1]
        assert not np.isclose(added, 0), (
            "yours repeats the last value of a straight line: add the growth of a year"
        )
        assert abs(added / slope - 52) < 0.6, (
            f"52 weeks on, a line that grows by {slope} a week has grown by {52 * slope}, yours by {added:.2f}: "
            "over how many weeks do you measure the growth, and for how many do you add it?"
        )
    error_sizes = []
    for week in VALIDATION_WEEKS:
        told = forecast_a_year_ahead(values[: week - 51].copy())
        error_sizes.append(abs(told - values[week]))
    your_mae = np.mean(error_sizes)
    assert your_mae > 0.05, (
        f"a MAE of {your_mae:.2f} ppm is below the noise of a week: do you use the answers?"
    )
    assert your_mae < 0.7, (
        f"your MAE is {your_mae:.2f} ppm: a year's growth is mostly chance, average it over many years"
    )
if your_mae < 0.7:
    print(
        f"  Your MAE in the validation years is {your_mae:.3f} ppm; the drift's stands in the table."
    )

# %% [markdown]
# ## Summary
#
# - A calendar knows the season and the average climb. A network adds what the newest weeks say about the weeks to come: much at one week, little at
#   one year.
# - In the test years the dense network is ahead of the calendars and of Holt-Winters at both horizons. Against a linear regression and against Holt with a
#   true calendar it gains next to nothing at one week and a little at one year. With so few data neither convolution nor LSTM gains on it.
# - A baseline deserves care: a season of 52 weeks cost Holt-Winters more than half of its accuracy at half a year.
# - A network cannot follow a trend to values it has never seen. Differences against the last value bring them back to where it has been.
# - Told directly, a far horizon is better than fifty-two small steps.
# - A random split of windows rewards learning by heart and chooses the wrong model.
# - Intervals from validation errors keep their promise where errors are many and alike, one week ahead. A year ahead single years break it.
#
# Not shown: training again as new years arrive, several series at once (where networks gain most), other causes as inputs (El Niño), and transformers
# (chapter 6). Lesson 4.3b turns from numbers to letters.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Why is seasonal naive with a season of 52 weeks the same as naive at horizon 52, and what does it always get wrong here?</summary>
#
# The same week a year before the target is the origin itself. It forgets the growth of one year, so nearly all its errors have the same sign.
#
# </details>
#
# <details>
# <summary>You fill gaps with a straight line, and one lies in the test years. Which forecasts leak, and how do you avoid it?</summary>
#
# Those whose window holds filled weeks of a gap that ends after the origin: the line aims at a value that the forecaster could not know. Fill, for each origin, with
# what was known then, such as the forecast of the missing week.
#
# </details>
#
# <details>
# <summary>Why do the targets get a scale for each horizon?</summary>
#
# With one scale for all, the squared errors of far horizons are much larger and rule the loss; the network then spends its weights on them, and
# the next week suffers.
#
# </details>
#
# <details>
# <summary>An interval covers the promised share over ten years, yet in one year it covers hardly half the weeks. Is it wrong?</summary>
#
# Not by its promise, which is an average over all origins. But a reader of that year is badly served. Errors that come in runs are not of the kind that the proof asks for.
#
# </details>

# %% [markdown]
# ## References
#
# - C. D. Keeling, T. P. Whorf (2004). Atmospheric CO2 concentrations derived from flask air samples at sites in the SIO network. In Trends: A Compendium of
#   Data on Global Change. Oak Ridge National Laboratory. (The citation given by statsmodels for its table.)
# - P. R. Winters (1960). Forecasting sales by exponentially weighted moving averages. Management Science 6(3). doi:10.1287/mnsc.6.3.324
# - R. J. Hyndman, A. B. Koehler (2006). Another look at measures of forecast accuracy. doi:10.1016/j.ijforecast.2006.03.001
# - L. J. Tashman (2000). Out-of-sample tests of forecasting accuracy: an analysis and review. doi:10.1016/S0169-2070(00)00065-0
# - S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. doi:10.1162/neco.1997.9.8.1735
# - S. Bai, J. Z. Kolter, V. Koltun (2018). An empirical evaluation of generic convolutional and recurrent networks for sequence modeling. arXiv:1803.01271
# - A. Zeng, M. Chen, L. Zhang, Q. Xu (2022). Are transformers effective for time series forecasting? arXiv:2205.13504
# - R. Koenker, G. Bassett (1978). Regression quantiles. Econometrica 46(1). doi:10.2307/1913643
# - Y. Romano, E. Patterson, E. J. Candès (2019). Conformalized quantile regression. arXiv:1905.03222

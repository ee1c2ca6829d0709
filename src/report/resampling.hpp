// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace popflow::report {

/// Confidence interval.
struct Interval {
    double low;
    double high;
};

/// Number of bootstrap resamples.
inline constexpr std::size_t bootstrap_resamples = 10000;
/// Minimum number of clusters for which the range of resampled means covers 95 %: n values cover their
/// median with probability 1 - 2^(1 - n). A sign-flip test of fewer clusters has no p-value below 0.05.
inline constexpr std::size_t min_clusters = 6;
/// Maximum number of clusters for which sign_flip_p_value() enumerates all sign flips.
inline constexpr std::size_t max_enumerated = 16;
/// Number of sign flips that sign_flip_p_value() draws for more clusters.
inline constexpr std::size_t drawn_sign_flips = 65535;

/// Bootstrap resamples of n clusters, the held-out units of a split with all their pairs: draws with
/// replacement of n of them each.
///
/// The stream key is fixed and contains n, so tables are deterministic.
class Resamples {
  public:
    explicit Resamples(std::size_t clusters);

    std::size_t clusters() const { return clusters_; }
    /// Returns for each resample how often it contains a cluster. Shape: [bootstrap_resamples].
    std::span<const float> counts(std::size_t cluster) const;

  private:
    std::size_t clusters_;
    std::vector<float> counts_;  ///< [clusters, bootstrap_resamples]
};

/// Returns the p-quantile of Student's t distribution with an integer number of degrees of freedom, by the
/// finite series of its distribution function (Abramowitz and Stegun, 26.7.3 and 26.7.4).
/// @param p  in (0, 1)
double student_t_quantile(double p, std::size_t degrees);

/// Returns the probability below the lower end of a 95 % percentile interval over n clusters:
/// Phi(-sqrt(n / (n - 1)) t), with the 0.975-quantile t of Student's distribution with n - 1 degrees of
/// freedom. Tends to 0.025 for many clusters. Requires n >= 2.
///
/// Source: Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69, 2015
/// (expanded percentile interval). Without it, the interval of 8 normal values covers 88 %.
double percentile_tail(std::size_t clusters);

/// Returns the 95 % expanded percentile interval of resampled values, nullopt for fewer than two clusters.
/// Quantiles are interpolated linearly, as NumPy does. Resamples without a value (NaN) are left out.
/// @param resampled  one value for each resample
std::optional<Interval> percentile_interval(std::vector<double> resampled, std::size_t clusters);

/// Returns the two-sided p-value of a paired permutation test: the share of all sign flips of the clusters
/// after which the absolute value of the sum is at least the observed one.
///
/// Up to max_enumerated clusters all 2^n sign flips count. Otherwise drawn_sign_flips random ones and the
/// observed one count: (1 + hits) / (1 + draws).
///
/// Source: Phipson and Smyth, "Permutation p-values should never be zero", Statistical Applications in
/// Genetics and Molecular Biology 9, 2010.
/// @param differences  contribution of each cluster to the difference of two means
/// @return NaN for fewer than two clusters
double sign_flip_p_value(std::span<const double> differences);

}  // namespace popflow::report

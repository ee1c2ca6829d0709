// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "mpi/communicator.hpp"
#include "mpi/partition.hpp"
#include "mpi/run_collectively.hpp"
#include "support/elements.hpp"
#include "support/ranks.hpp"

namespace core = popflow::core;
using popflow::mpi::Communicator;
using popflow::mpi::max_message_elements;
using popflow::mpi::part_bounds;
using popflow::mpi::run_collectively;
using popflow::support::communicator;
using popflow::support::elements_equal;

namespace {

std::size_t rank_count() {
    return static_cast<std::size_t>(communicator().size());
}

std::size_t own_rank() {
    return static_cast<std::size_t>(communicator().rank());
}

// Array in the address space without any memory: reading or writing an element crashes.
template <class T>
class UnreadableArray {
  public:
    explicit UnreadableArray(std::size_t size)
        : size_(size),
          address_(mmap(nullptr, size * sizeof(T), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                        0)) {
        if (address_ == MAP_FAILED) throw std::bad_alloc();
    }
    ~UnreadableArray() { munmap(address_, size_ * sizeof(T)); }
    UnreadableArray(const UnreadableArray&) = delete;
    UnreadableArray& operator=(const UnreadableArray&) = delete;
    std::span<T> values() const { return {static_cast<T*>(address_), size_}; }

  private:
    std::size_t size_;
    void* address_;
};

std::int64_t integer(std::size_t rank, std::size_t i) {
    return static_cast<std::int64_t>((rank + 1) * (i + 1));
}

// Expects that every rank receives the sums of `size` integers. Collective.
void expect_sums_of_integers(std::size_t size) {
    std::vector<std::int64_t> values(size);
    std::vector<std::int64_t> expected(size, 0);
    for (std::size_t i = 0; i < size; ++i) {
        values[i] = integer(own_rank(), i);
        for (std::size_t rank = 0; rank < rank_count(); ++rank) expected[i] += integer(rank, i);
    }
    communicator().sum(values);
    EXPECT_PRED_FORMAT2(elements_equal, values, expected);
}

std::vector<double> random_doubles(std::size_t size) {
    core::Stream stream(size, core::Purpose::test);
    std::vector<double> values(size);
    for (double& value : values) value = stream.normal();
    return values;
}

// Expects that every rank receives the parts of all ranks. Collective.
void expect_all_parts(const std::vector<std::size_t>& bounds) {
    std::vector<float> expected(bounds.back());
    core::Stream(bounds.back(), core::Purpose::test).fill_normal(expected);
    std::vector<float> values(bounds.back(), -1.0F);
    std::copy(expected.begin() + static_cast<std::ptrdiff_t>(bounds[own_rank()]),
              expected.begin() + static_cast<std::ptrdiff_t>(bounds[own_rank() + 1]),
              values.begin() + static_cast<std::ptrdiff_t>(bounds[own_rank()]));
    communicator().all_gather(values, bounds);
    EXPECT_PRED_FORMAT2(elements_equal, values, expected);
}

// Text of a rank: letters that begin at another one for each rank.
std::string letters(std::size_t rank, std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + (i + rank) % 26);
    return text;
}

// Expects that rank 0 receives the texts of all ranks, and all other ranks nothing. `texts` are those of all
// ranks. Collective.
void expect_gathered(const std::vector<std::string>& texts, std::size_t max_bytes = max_message_elements) {
    SCOPED_TRACE("at most " + std::to_string(max_bytes) + " bytes at a time");
    const std::vector<std::string> found = communicator().gather(texts[own_rank()], max_bytes);
    if (communicator().is_root()) {
        EXPECT_PRED_FORMAT2(elements_equal, found, texts);
    } else {
        EXPECT_EQ(found.size(), 0U) << "texts on a rank other than 0";
    }
}

// Error that run_collectively() throws, as `kind: text`.
std::string collective_error(const std::function<void()>& work) {
    try {
        run_collectively(communicator(), work);
    } catch (const core::UserError& error) {
        return std::string("UserError: ") + error.what();
    } catch (const core::Error& error) {
        return std::string("Error: ") + error.what();
    }
    return "none";
}

// Error that every rank has to throw if `failing` alone fails with `text`.
std::string expected_error(const std::string& kind, std::size_t failing, const std::string& text) {
    const bool knows_text = own_rank() == failing || own_rank() == 0;
    return kind + ": " + (knows_text ? text : "another rank failed");
}

}  // namespace

TEST(Communicator, HasAsManyRanksAsWereStarted) {
    const char* started = std::getenv("POPFLOW_TEST_RANKS");
    if (started == nullptr) GTEST_SKIP() << "POPFLOW_TEST_RANKS is not set";
    EXPECT_EQ(std::to_string(communicator().size()), started);
}

TEST(Communicator, NumbersTheRanksFromZero) {
    std::vector<std::int64_t> ranks(rank_count(), 0);
    ASSERT_GE(communicator().rank(), 0);
    ASSERT_LT(communicator().rank(), communicator().size());
    ranks[own_rank()] = 1;
    communicator().sum(ranks);
    EXPECT_PRED_FORMAT2(elements_equal, ranks, std::vector<std::int64_t>(rank_count(), 1));
    EXPECT_EQ(communicator().is_root(), communicator().rank() == 0);
}

TEST(Communicator, CountsTheRanksOfThisHost) {
    // Each host adds 1, as a sum of fractions.
    std::vector<double> hosts(1, 1.0 / communicator().ranks_on_host());
    communicator().sum(hosts);
    EXPECT_NEAR(hosts[0], 1, 1e-12) << "hosts. The tests start all ranks on one host";
}

TEST(Communicator, CopiesKeepTheirRankAndSize) {
    const Communicator copy = communicator();
    copy.barrier();
    EXPECT_EQ(copy.rank(), communicator().rank());
    EXPECT_EQ(copy.size(), communicator().size());
}

TEST(Barrier, ReturnsOnNoRankBeforeAllHaveCalledIt) {
    // All processes of a machine share the steady clock.
    const auto now = [] {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    };
    for (std::size_t late = 0; late < rank_count(); ++late) {
        if (own_rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        std::vector<std::int64_t> entered(rank_count(), 0);
        entered[own_rank()] = now();
        communicator().barrier();
        const std::int64_t left = now();
        communicator().sum(entered);
        EXPECT_GE(left, *std::ranges::max_element(entered)) << "rank " << late << " is late";
    }
}

TEST(Sum, OfIntegersIsEqualOnAllRanks) {
    expect_sums_of_integers(1);
    expect_sums_of_integers(1000);
}

TEST(Sum, OfIntegersKeepsMoreThan53Bits) {
    constexpr std::int64_t large = (std::int64_t{1} << 60) + 1;
    std::vector<std::int64_t> values{communicator().is_root() ? large : 0, communicator().is_root() ? 0 : -1};
    communicator().sum(values);
    EXPECT_PRED_FORMAT2(elements_equal, values,
                        (std::vector<std::int64_t>{large, 1 - static_cast<std::int64_t>(rank_count())}));
}

TEST(Sum, OfNothingReturns) {
    communicator().sum(std::span<std::int64_t>());
    communicator().sum(std::span<double>());
    expect_sums_of_integers(1);
}

TEST(Sum, OfALargeMessageIsEqualOnAllRanks) {
    expect_sums_of_integers(1000000);
}

TEST(Sum, OfDoublesThatOneRankHoldsKeepsTheirBits) {
    const std::vector<double> expected = random_doubles(1000);
    std::vector<double> values(expected.size(), 0.0);
    for (std::size_t i = own_rank(); i < values.size(); i += rank_count()) values[i] = expected[i];
    communicator().sum(values);
    EXPECT_PRED_FORMAT2(elements_equal, values, expected);
}

TEST(Sum, OfDoublesThatTheLastRankHoldsKeepsTheirBits) {
    const std::vector<double> expected = random_doubles(300000);
    std::vector<double> values(expected.size(), 0.0);
    if (own_rank() + 1 == rank_count()) values = expected;
    communicator().sum(values);
    EXPECT_PRED_FORMAT2(elements_equal, values, expected);
}

TEST(Sum, RefusesMoreElementsThanMpiCounts) {
    const UnreadableArray<std::int64_t> integers(max_message_elements + 1);
    const UnreadableArray<double> doubles(max_message_elements + 1);
    EXPECT_THROW(communicator().sum(integers.values()), core::Error);
    EXPECT_THROW(communicator().sum(doubles.values()), core::Error);
    expect_sums_of_integers(1);  // no rank waits for the refused message
}

TEST(AllGather, GivesAllPartsToAllRanks) {
    for (const std::size_t size : {1000UL, 64UL, 17UL}) {
        SCOPED_TRACE(std::to_string(size) + " elements");
        expect_all_parts(part_bounds(size, 16, communicator().size()));
    }
}

TEST(AllGather, AcceptsRanksWithoutElements) {
    for (std::size_t owner = 0; owner < rank_count(); ++owner) {
        SCOPED_TRACE("all elements belong to rank " + std::to_string(owner));
        std::vector<std::size_t> bounds(rank_count() + 1, 0);
        std::fill(bounds.begin() + static_cast<std::ptrdiff_t>(owner) + 1, bounds.end(), std::size_t{300});
        expect_all_parts(bounds);
    }
}

TEST(AllGather, AcceptsPartsOfDifferentLengths) {
    std::vector<std::size_t> bounds{0};
    for (std::size_t rank = 0; rank < rank_count(); ++rank) bounds.push_back(bounds.back() + 100 * rank + 1);
    expect_all_parts(bounds);
}

TEST(AllGather, OfNothingReturns) {
    expect_all_parts(std::vector<std::size_t>(rank_count() + 1, 0));
}

TEST(AllGather, TransfersLargeParts) {
    expect_all_parts(part_bounds(2000000, 16, communicator().size()));
}

TEST(AllGather, RefusesOffsetsThatMpiCannotCount) {
    if (rank_count() == 1) GTEST_SKIP() << "one rank sends nothing";
    const UnreadableArray<float> values(max_message_elements + 2);
    std::vector<std::size_t> long_part(rank_count() + 1, max_message_elements + 1);
    long_part.front() = 0;
    std::vector<std::size_t> far_part(rank_count() + 1, max_message_elements + 2);
    far_part[0] = 0;
    far_part[1] = 0;
    EXPECT_THROW(communicator().all_gather(values.values(), long_part), core::Error);
    EXPECT_THROW(communicator().all_gather(values.values(), far_part), core::Error);
    expect_all_parts(part_bounds(100, 16, communicator().size()));
}

TEST(Gather, ReturnsTextsOfAnyLengthForAnyMessageSize) {
    std::vector<std::string> texts;
    for (std::size_t rank = 0; rank < rank_count(); ++rank)
        texts.push_back(letters(rank, rank == 1 ? 0 : 7 * rank + 3));
    for (const std::size_t max_bytes : {1UL, 5UL, 16UL, 1000UL}) expect_gathered(texts, max_bytes);
    expect_gathered(texts);
}

TEST(Gather, ReturnsTheTextOfEachRankIfAllOthersAreEmpty) {
    for (std::size_t rank = 0; rank < rank_count(); ++rank) {
        SCOPED_TRACE("rank " + std::to_string(rank) + " has a text");
        std::vector<std::string> texts(rank_count());
        texts[rank] = letters(rank, 100);
        expect_gathered(texts, 16);
    }
}

TEST(Gather, ReturnsEmptyTexts) {
    expect_gathered(std::vector<std::string>(rank_count()));
}

TEST(Gather, KeepsBytesOfAllValues) {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    std::vector<std::string> texts;
    for (std::size_t rank = 0; rank < rank_count(); ++rank) texts.push_back(bytes.substr(rank) + bytes);
    expect_gathered(texts, 100);
}

TEST(Gather, TransfersLargeTextsInPieces) {
    std::vector<std::string> texts;
    for (std::size_t rank = 0; rank < rank_count(); ++rank)
        texts.push_back(letters(rank, 1000000 / (rank + 1)));
    expect_gathered(texts, 60000);
    expect_gathered(texts);
}

TEST(RunCollectively, RunsTheWorkOnEveryRank) {
    std::vector<std::int64_t> runs(rank_count(), 0);
    EXPECT_EQ(collective_error([&] { ++runs[own_rank()]; }), "none");
    communicator().sum(runs);
    EXPECT_PRED_FORMAT2(elements_equal, runs, std::vector<std::int64_t>(rank_count(), 1));
}

TEST(RunCollectively, AllowsCollectivesInsideTheWork) {
    std::vector<std::int64_t> ranks(1, 1);
    EXPECT_EQ(collective_error([&] { communicator().sum(ranks); }), "none");
    EXPECT_EQ(ranks[0], communicator().size());
}

TEST(RunCollectively, ThrowsTheUserErrorOfAnyRankOnAllRanks) {
    for (std::size_t failing = 0; failing < rank_count(); ++failing) {
        const std::string found = collective_error([&] {
            if (own_rank() == failing) throw core::UserError("a wrong value");
        });
        EXPECT_EQ(found, expected_error("UserError", failing, "a wrong value"))
            << "rank " << failing << " fails";
    }
}

TEST(RunCollectively, ThrowsOtherErrorsOfAnyRankOnAllRanks) {
    for (std::size_t failing = 0; failing < rank_count(); ++failing) {
        const std::string found = collective_error([&] {
            if (own_rank() == failing) throw core::WriteError("F.h5ad", "cannot write: disk full");
        });
        EXPECT_EQ(found, expected_error("Error", failing, "F.h5ad: cannot write: disk full"))
            << "rank " << failing << " fails";
    }
}

TEST(RunCollectively, ThrowsStandardExceptionsOfAnyRankAsErrors) {
    for (std::size_t failing = 0; failing < rank_count(); ++failing) {
        const std::string found = collective_error([&] {
            if (own_rank() == failing) throw std::out_of_range("index 7 of 5");
        });
        EXPECT_EQ(found, expected_error("Error", failing, "index 7 of 5")) << "rank " << failing << " fails";
    }
}

TEST(RunCollectively, ReportsLackOfMemoryOfAnyRankOnAllRanks) {
    for (std::size_t failing = 0; failing < rank_count(); ++failing) {
        const std::string found = collective_error([&] {
            if (own_rank() == failing) throw std::bad_alloc();
        });
        EXPECT_EQ(found, expected_error("Error", failing, "out of memory")) << "rank " << failing << " fails";
    }
}

TEST(RunCollectively, ThrowsAnErrorIfOneRankFailsOtherwiseThanByAUserError) {
    for (std::size_t failing = 0; failing < rank_count(); ++failing) {
        const std::string found = collective_error([&] {
            if (own_rank() == failing) throw core::WriteError("F.h5ad", "cannot write: disk full");
            throw core::UserError("a wrong value");
        });
        const std::string own = own_rank() == failing ? "F.h5ad: cannot write: disk full" : "a wrong value";
        EXPECT_EQ(found, "Error: " + own) << "rank " << failing << " fails otherwise";
    }
}

TEST(RunCollectively, GivesRankZeroTheTextOfTheLowestFailedRank) {
    for (std::size_t lowest = 0; lowest < rank_count(); ++lowest) {
        const std::string found = collective_error([&] {
            if (own_rank() >= lowest) throw core::UserError("rank " + std::to_string(own_rank()));
        });
        std::string text = "rank " + std::to_string(std::max(own_rank(), lowest));
        if (own_rank() > 0 && own_rank() < lowest) text = "another rank failed";
        EXPECT_EQ(found, "UserError: " + text) << "all ranks fail from rank " << lowest << " on";
    }
}

TEST(RunCollectively, LeavesTheCommunicatorUsable) {
    EXPECT_NE(collective_error([] { throw core::UserError("a wrong value"); }), "none");
    expect_sums_of_integers(100);
    expect_gathered(std::vector<std::string>(rank_count(), "text"));
}

/// relab-sim: the programs' own logic through thousands of bad days.

#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <iostream>
#include <thread>

#include "common/crypto/keys.h"
#include "tests/simulation/crew.h"

namespace relab::sim {

namespace {

namespace po = boost::program_options;

constexpr auto usage =
    R"(relab-sim runs the logic of controller and agents in a simulated world, once a seed.

  relab-sim --seeds 2000          2000 worlds; exit code 1 and the seed at the first that fails
  relab-sim --first 77 --seeds 1  that one again, with its faults
  relab-sim --plants              plants each known bug, and must find every one of them

)";

void tell(const Counts& counts) {
  fmt::print(
      "{} events, {} frames ({} lost, {} doubled, {} hostile), {} crashes ({} of them at a write), "
      "{} cuts\n{} tasks begun, {} of them to destroy, {} reported as succeeded, {} otherwise, {} "
      "given up\n{} changes that waited to be confirmed, {} of them kept\n",
      counts.events, counts.frames, counts.lost, counts.doubled, counts.hostile, counts.crashes,
      counts.torn, counts.cuts, counts.started, counts.destroyed, counts.succeeded, counts.failed,
      counts.abandoned, counts.changed, counts.kept);
}

Verdict run_seed(std::uint64_t seed, Plant plant) { return World(seed, plant).run(); }

/// One world, with what happened in it; of one that fails, only what it takes for that.
int show_seed(std::uint64_t seed) {
  auto verdict = run_seed(seed, Plant::none);
  if (!verdict.held) {
    const auto all = verdict.trace.size();
    verdict = minimised(seed, Plant::none, std::move(verdict));
    fmt::print("{} of the {} lines of its story are enough:\n", verdict.trace.size(), all);
  }
  for (const auto& line : verdict.trace) fmt::print("{}\n", line);
  if (verdict.held) return 0;
  fmt::print("seed {}: {}\nagain: relab-sim --first {} --seeds 1\n", seed, verdict.why, seed);
  return 1;
}

int run_seeds(std::uint64_t first, std::uint64_t seeds, unsigned jobs) {
  if (seeds == 1 && show_seed(first) != 0) return 1;
  const auto end = run_crew(first, seeds, jobs);
  if (end.failed) {
    fmt::print("seed {} fails\n", *end.failed);
    std::fflush(stdout);
    show_seed(*end.failed);
    return 1;
  }
  fmt::print("{} seeds hold\n", end.held);
  tell(end.counts);
  return end.held == seeds && seeds != 0 ? 0 : 1;
}

/// Whether the story of a failure gets shorter, and is one of a failure still.
bool shrinks(std::uint64_t seed, Plant plant, Verdict failed) {
  const auto lines = failed.trace.size();
  const auto least = minimised(seed, plant, std::move(failed));
  return !least.held && least.trace.size() < lines;
}

/// What the first seed that finds the bug says; nothing if none of them does.
std::optional<Verdict> find(Plant plant, std::uint64_t first, std::uint64_t seeds,
                            std::uint64_t& seed) {
  for (seed = first; seed < first + seeds; ++seed)
    if (auto verdict = run_seed(seed, plant); !verdict.held) return verdict;
  return {};
}

/// A bug that no seed finds is a hole in the simulation. How many of those of this job are missed.
unsigned run_plants_of(unsigned job, unsigned jobs, std::uint64_t first, std::uint64_t seeds) {
  unsigned missed = 0;
  for (std::size_t i = job; i < plants.size(); i += jobs) {
    std::uint64_t seed = 0;
    const auto found = find(plants[i].plant, first, seeds, seed);
    if (!found) ++missed;
    fmt::print("{:22} {}\n", plants[i].name,
               found ? fmt::format("found by seed {}: {}", seed,
                                   found->why.substr(0, found->why.find('\n')))
                     : fmt::format("NOT FOUND in {} seeds", seeds));
    std::fflush(stdout);
    if (i == 0 && found && !shrinks(seed, plants[i].plant, *found)) {
      fmt::print("the story of its failure did not get shorter\n");
      ++missed;
    }
  }
  return missed;
}

int run_plants(std::uint64_t first, std::uint64_t seeds, unsigned jobs) {
  const auto missed =
      sum_of_crew(jobs, [&](unsigned job) { return run_plants_of(job, jobs, first, seeds); });
  fmt::print("{} of {} planted bugs found\n",
             plants.size() - std::min<std::size_t>(missed, plants.size()), plants.size());
  return missed == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  std::uint64_t first = 1;
  const auto* asked = std::getenv("RELAB_SEEDS");
  std::uint64_t seeds = asked == nullptr ? 2000 : std::stoull(asked);
  auto jobs = std::thread::hardware_concurrency();
  po::options_description options("Options");
  options.add_options()("help,h", "this text")("seeds", po::value(&seeds),
                                               "how many; absent: $RELAB_SEEDS, or 2000")(
      "first", po::value(&first), "the first of them (1)")(
      "jobs", po::value(&jobs), "worlds at a time; absent: as many as there are processors")(
      "plants", "plant each known bug");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);
  if (values.count("help") != 0) {
    std::cout << usage << options;
    return 0;
  }
  draw_everything_from(first);
  crypto::start();
  return values.count("plants") != 0 ? run_plants(first, seeds, std::max(jobs, 1U))
                                     : run_seeds(first, seeds, jobs);
}

}  // namespace

}  // namespace relab::sim

int main(int argc, char** argv) try {
  return relab::sim::run(argc, argv);
} catch (const std::exception& exception) {
  std::fprintf(stderr, "relab-sim: %s\n", exception.what());
  return 2;
}

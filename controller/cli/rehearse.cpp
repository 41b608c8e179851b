#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <map>

#include "common/base/file.h"
#include "common/base/signals.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/live/rehearsal_show.h"
#include "controller/cli/own_file.h"
#include "controller/cli/page/compose.h"
#include "controller/cli/rehearse_ground.h"
#include "controller/cli/rehearse_text.h"
#include "controller/rehearsal/chaos.h"
#include "controller/rehearsal/faults.h"
#include "controller/rehearsal/rehearsal.h"
#include "controller/secrets/uses.h"

namespace relab::controller::cli {

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace {

using rehearsal::Rehearsal;

/// Where a rehearsal is kept, or a folder that goes with it.
class Folder {
 public:
  static Result<Folder> make(const std::string& kept) {
    if (!kept.empty()) return Folder(kept, false);
    std::error_code error;
    const auto temporary = fs::temp_directory_path(error);
    if (error)
      return fail(Fault::busy, "no folder for what passes: " + error.message(), "TMPDIR names one");
    auto name = (temporary / "relab-rehearsal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return fail(Fault::busy, "no folder can be made in " + temporary.string());
    return Folder(fs::path(name) / "rehearsal", true);
  }
  Folder(Folder&& other) noexcept
      : path_(std::move(other.path_)), passing_(std::exchange(other.passing_, false)) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (passing_) fs::remove_all(path_.parent_path(), ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  Folder(fs::path path, bool passing) : path_(std::move(path)), passing_(passing) {}
  fs::path path_;
  bool passing_;
};

/// A signal ends the rehearsal, with all that it has put anywhere.
class Interruptible final : public rehearsal::Onlooker {
 public:
  /// Borrows both.
  Interruptible(rehearsal::Onlooker& inner, const Signals& signals)
      : inner_(inner), signals_(signals) {}

  Narrator& begins(const rehearsal::RehearsedPhase& phase) override { return inner_.begins(phase); }
  Result<void> passes(const rehearsal::Stage& stage, const Engine& engine, Millis since) override {
    if (signals_.take()) return fail(Fault::cancelled, "the rehearsal was broken off by a signal");
    return inner_.passes(stage, engine, since);
  }
  void ends() override { inner_.ends(); }

 private:
  rehearsal::Onlooker& inner_;
  const Signals& signals_;
};

ExitCode failed(Context& context, const Error& error) {
  const auto code = context.failed(error);
  return error.fault == Fault::cancelled ? ExitCode::detached : code;
}

/// The next full minute: the chart is easier to read, and all of it lies ahead.
Instant begin_of(Instant now) { return std::chrono::ceil<std::chrono::minutes>(now); }

Result<std::vector<rehearsal::FaultWish>> faults_of(const Values& values) {
  std::vector<rehearsal::FaultWish> wishes;
  if (values.count("fault") == 0) return wishes;
  for (const auto& text : values["fault"].as<std::vector<std::string>>()) {
    RELAB_TRY(auto wish, rehearsal::parse_fault(text));
    wishes.push_back(std::move(wish));
  }
  return wishes;
}

constexpr std::string_view mermaid_begins = "gantt\n";
constexpr std::string_view svg_begins = "<svg ";

/// Before anything is rehearsed: that what is asked for can be written.
Result<void> check_files(const Values& values) {
  const auto check = [&](const char* option, std::string_view begins) -> Result<void> {
    const auto file = option_text(values, option);
    return file.empty() ? Result<void>() : check_replaceable(file, begins);
  };
  RELAB_CHECK(check("mermaid", mermaid_begins));
  RELAB_CHECK(check("svg", svg_begins));
  return check("html", page_begins());
}

Result<void> write_text(const std::string& file, std::string_view begins, const std::string& text) {
  if (file.empty()) return {};
  RELAB_CHECK(check_replaceable(file, begins));
  return replace_file(file, text).during("writing " + file);
}

Result<nlohmann::json> report_of(const Rehearsal& done, schema::Lab::Reader lab, Instant made) {
  RELAB_TRY(auto report, compose_report({.book = done.stage().book(),
                                         .evidences = done.stage().evidences(lab),
                                         .basis = "rehearsal"}));
  add_rehearsal(done, report);
  report["made"] = iso8601(made);
  return report;
}

/// The files that were asked for, and what `relab report` is to show of a rehearsal that is kept.
Result<void> write_files(const Values& values, const Rehearsal& done, schema::Lab::Reader lab,
                         Instant made, Context& context) {
  const auto title = fmt::format("Rehearsal of {}", str(lab.getName()));
  const auto course = done.course();
  RELAB_CHECK(write_text(option_text(values, "mermaid"), mermaid_begins,
                         rehearsal::gantt_mermaid(course, title)));
  RELAB_CHECK(
      write_text(option_text(values, "svg"), svg_begins, rehearsal::gantt_svg(course, title)));
  const auto page = option_text(values, "html");
  const bool kept = values.count("keep") != 0;
  if (page.empty() && !kept) return {};
  RELAB_TRY(const auto report, report_of(done, lab, made));
  if (kept) RELAB_CHECK(replace_file(done.folder() / rehearsed_report, report.dump() + "\n"));
  if (page.empty()) return {};
  RELAB_CHECK(write_page(page, report));
  context.out().line(fmt::format("The report is in {}.", page));
  return {};
}

/// Secrets that the plan names and nobody has stored. Where there is no controller yet nothing can
/// be, and the rehearsal takes them for granted.
std::vector<rehearsal::Trouble> missing_secrets(Context& context, schema::Lab::Reader lab) {
  std::error_code ignored;
  if (!fs::exists(context.key_file(), ignored)) return {};
  std::vector<rehearsal::Trouble> missing;
  const auto stored = context.secret_times(str(lab.getName()));
  for (const auto& [name, users] : secret_users(lab))
    if (!stored.contains(name))
      missing.push_back({rehearsal::Trouble::Kind::missing, "secret " + name,
                         "nobody has stored it", "relab secret set " + name});
  return missing;
}

ExitCode rehearse_once(const Values& values, Context& context, const Message<schema::Lab>& lab) {
  const Signals signals;
  const auto now = wall_clock();
  const auto begin = begin_of(now);
  auto wishes = faults_of(values);
  if (!wishes) {
    context.out().error(wishes.error());
    return ExitCode::usage;
  }
  if (const auto files = check_files(values); !files) return context.failed(files.error());
  auto ground = ground_of(values, context, lab.reader(), begin);
  if (!ground) return context.failed(ground.error());
  if (const auto saved = save_worlds(*ground, option_text(values, "save-world")); !saved)
    return context.failed(saved.error());
  const auto folder = Folder::make(option_text(values, "keep"));
  if (!folder) return context.failed(folder.error());
  auto made = Rehearsal::make({.lab = lab,
                               .worlds = std::move(ground->worlds),
                               .folder = folder->path(),
                               .begin = begin,
                               .faults = std::move(*wishes),
                               .known = missing_secrets(context, lab.reader())});
  if (!made && made.error().fault == Fault::invalid && values.count("fault") != 0) {
    context.out().error(made.error());
    return ExitCode::usage;
  }
  if (!made) return context.failed(made.error());
  auto& rehearsal = **made;
  context.out().line(
      fmt::format("Rehearsal of {}, on {}.", str(lab.reader().getName()), ground->words));
  RehearsalShow show_of_it(context.out(), lab.reader());
  Interruptible onlooker(show_of_it, signals);
  if (const auto run = rehearsal.run(onlooker); !run) return failed(context, run.error());
  show(rehearsal, context.out());
  if (const auto written = write_files(values, rehearsal, lab.reader(), now, context); !written)
    return context.failed(written.error());
  context.out().value(to_json(rehearsal, lab.reader()));
  return code_of(rehearsal);
}

/// What many rehearsals came to.
struct Tally {
  /// Without any fault the plan comes to its end.
  bool sound = true;
  std::map<rehearsal::ChaosResult, unsigned> results = {};
  nlohmann::json unwell = nlohmann::json::array();
  nlohmann::json wrong = nlohmann::json::array();

  unsigned of(rehearsal::ChaosResult result) const {
    const auto found = results.find(result);
    return found == results.end() ? 0 : found->second;
  }
};

/// With what it can be made again.
void tell_seed(const rehearsal::ChaosEnd& end, const std::string& what, nlohmann::json& list,
               Printer& out) {
  out.line(fmt::format("  seed {}: {}", end.seed, Printer::harmless(what)));
  for (const auto& fault : end.faults) out.line("    " + Printer::harmless(fault));
  list.push_back({{"seed", end.seed}, {"faults", end.faults}, {"what", what}});
}

Result<Tally> rehearse_many(const rehearsal::ChaosWish& first, unsigned count, Context& context) {
  using rehearsal::ChaosResult;
  const Signals signals;
  Tally tally;
  QuietOnlooker quiet(context.out());
  Interruptible onlooker(quiet, signals);
  ChaosShow progress(context.out(), count);
  RELAB_TRY(tally.sound, rehearsal::comes_to_its_end(first, onlooker));
  auto wish = first;
  for (unsigned i = 0; i < count; ++i, ++wish.seed) {
    progress.tell(i, tally.of(ChaosResult::recovered), tally.of(ChaosResult::stopped),
                  static_cast<unsigned>(tally.wrong.size()));
    RELAB_TRY(const auto end, rehearsal::rehearse_with_chance(wish, onlooker)
                                  .during(fmt::format("rehearsing with seed {}", wish.seed)));
    ++tally.results[end.result];
    if (end.result == ChaosResult::unwell) tell_seed(end, end.lost, tally.unwell, context.out());
    if (!end.wrong.empty()) tell_seed(end, end.wrong, tally.wrong, context.out());
  }
  return tally;
}

ExitCode rehearse_chaos(const Values& values, Context& context, const Message<schema::Lab>& lab) {
  constexpr unsigned most = 1'000'000;
  const auto count = values["chaos"].as<unsigned>();
  if (count == 0 || count > most) {
    context.out().error({.fault = Fault::invalid,
                         .what = fmt::format("--chaos takes a number from 1 to {}", most)});
    return ExitCode::usage;
  }
  const auto begin = begin_of(wall_clock());
  const auto ground = ground_of(values, context, lab.reader(), begin);
  if (!ground) return context.failed(ground.error());
  const auto folder = Folder::make(option_text(values, "keep"));
  if (!folder) return context.failed(folder.error());
  if (const auto made = make_private_folder(folder->path()); !made)
    return context.failed(made.error());
  const auto tally = rehearse_many({.lab = lab,
                                    .worlds = ground->worlds,
                                    .folder = folder->path(),
                                    .begin = begin,
                                    .seed = values["seed"].as<std::uint64_t>()},
                                   count, context);
  if (!tally) return failed(context, tally.error());
  using rehearsal::ChaosResult;
  const auto recovered = tally->of(ChaosResult::recovered);
  const auto untouched = tally->of(ChaosResult::untouched);
  const auto stopped = tally->of(ChaosResult::stopped);
  context.out().line(fmt::format(
      "{} rehearsals of {}, on {}, with faults by chance: {} came to their end all the same, {} "
      "were touched by none, {} stopped at a gate, {} came to their end with a pool of data or a "
      "disk of theirs that is not well, which no step saw; {} with a success that was none.",
      count, str(lab.reader().getName()), ground->words, recovered, untouched, stopped,
      tally->unwell.size(), tally->wrong.size()));
  if (!tally->sound)
    context.out().line("Without any fault the plan does not come to its end either.");
  context.out().value({{"rehearsals", count},
                       {"sound", tally->sound},
                       {"recovered", recovered},
                       {"untouched", untouched},
                       {"stopped", stopped},
                       {"unwell", tally->unwell},
                       {"wrong", tally->wrong}});
  if (!tally->wrong.empty() || !tally->unwell.empty()) return ExitCode::failed;
  return tally->sound ? ExitCode::done : ExitCode::gate_closed;
}

/// Options that would be passed over in silence; empty: there are none.
std::string clash_of(const Values& values) {
  const auto given = [&](const char* option) { return values.count(option) != 0; };
  const auto both = [](std::string_view one, std::string_view other) {
    return fmt::format("--{} does not go with --{}", one, other);
  };
  std::map<fs::path, std::string_view> files;
  for (const auto* option : {"audit", "save-world", "keep", "html", "mermaid", "svg"}) {
    if (!given(option)) continue;
    const auto name = option_text(values, option);
    if (name.empty()) return fmt::format("--{} takes a name, and was given an empty one", option);
    if (option == std::string_view("audit")) continue;
    const auto [same, is_new] = files.emplace(fs::absolute(name).lexically_normal(), option);
    if (!is_new) return fmt::format("--{} and --{} name the same file", same->second, option);
  }
  if (!given("chaos") && !values["seed"].defaulted()) return "--seed goes with --chaos alone";
  if (given("chaos"))
    for (const auto* option : {"fault", "save-world", "html", "mermaid", "svg"})
      if (given(option)) return both(option, "chaos");
  for (const auto* option : {"described", "audit"})
    if (given("world") && given(option)) return both(option, "world");
  return given("described") && given("audit") ? both("described", "audit") : std::string();
}

}  // namespace

void declare_rehearse(po::options_description& options) {
  auto add = options.add_options();
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  const auto texts = [](const char* name) {
    return po::value<std::vector<std::string>>()->value_name(name);
  };
  add("audit", text("RUN"),
      "take the machines as this run's audit found them, not the newest: `last~1`, or its id");
  add("described", "take the machines as lab.toml describes them, whatever an audit found");
  add("world", texts("FILE"), "take a machine out of this file; once for each host");
  add("save-world", text("FILE"), "write the machine that is taken into this file");
  add("fault", texts("TEXT"), "let this go wrong: `--fault help` tells what can");
  add("chaos", po::value<unsigned>()->value_name("N"),
      "rehearse N times with faults by chance: no success may be one that is none");
  add("seed", po::value<std::uint64_t>()->value_name("SEED")->default_value(1),
      "of the first of them; each has the next one");
  add("keep", text("FOLDER"), "keep its ledger in this folder, which must not be there yet");
  add("html", text("FILE"), "write the report of it as one HTML page into this file");
  add("mermaid", text("FILE"), "write its timeline as a Mermaid chart into this file");
  add("svg", text("FILE"), "write its timeline as a picture into this file");
}

ExitCode rehearse(const Values& values, Context& context) {
  if (values.count("fault") != 0 &&
      values["fault"].as<std::vector<std::string>>() == std::vector<std::string>{"help"}) {
    context.out().line(rehearsal::fault_forms());
    return ExitCode::done;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  if (const auto clash = clash_of(values); !clash.empty()) {
    context.out().error({.fault = Fault::invalid, .what = clash});
    return ExitCode::usage;
  }
  return values.count("chaos") == 0 ? rehearse_once(values, context, *lab)
                                    : rehearse_chaos(values, context, *lab);
}

}  // namespace relab::controller::cli

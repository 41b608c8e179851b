#include "controller/cli/rehearse_ground.h"

#include <filesystem>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "controller/adopt/adopt.h"
#include "controller/cli/find_audit.h"
#include "controller/rehearsal/world/world.h"

namespace relab::controller::cli {

namespace fs = std::filesystem;

namespace {

using Worlds = std::vector<Message<schema::World>>;

Worlds described(schema::Lab::Reader lab, Instant begin) {
  Worlds worlds;
  for (const auto host : lab.getHosts())
    worlds.push_back(rehearsal::world_of_lab(lab, host, begin));
  return worlds;
}

Result<Worlds> audited(const State& state, schema::Lab::Reader lab, const std::string& run,
                       Instant begin) {
  Worlds worlds;
  for (const auto host : lab.getHosts()) {
    RELAB_TRY(auto world,
              rehearsal::world_of_audit(state, lab, host, {.run = run, .began = begin}));
    worlds.push_back(std::move(world));
  }
  return worlds;
}

/// Whether any section of any host was read.
bool is_audited(const State& state, schema::Lab::Reader lab) {
  return any_in(lab.getHosts(), [&](auto host) {
    return audit_of(state, str(host.getName())).unread.size() < reflect::audit_sections().size();
  });
}

/// Where nobody has audited any machine.
Result<Ground> unaudited(const fs::path& lab_file, schema::Lab::Reader lab, Instant begin) {
  Ground ground{.worlds = {}, .words = {}};
  for (const auto host : lab.getHosts()) {
    const auto file = lab_file.parent_path() / (str(host.getName()) + ".world.json");
    std::error_code ignored;
    const bool described = !fs::exists(file, ignored);
    if (!ground.words.empty()) ground.words += ", ";
    if (described) {
      ground.worlds.push_back(rehearsal::world_of_lab(lab, host, begin));
      ground.words += fmt::format("{} as lab.toml describes it", view(host.getName()));
      continue;
    }
    RELAB_TRY(auto world, rehearsal::load_world(file, lab));
    ground.worlds.push_back(std::move(world));
    ground.words += fmt::format("{} as {} has it", view(host.getName()), file.filename().string());
  }
  ground.words += ": nobody has audited yet";
  return ground;
}

}  // namespace

std::string option_text(const Values& values, const char* option) {
  return values.count(option) == 0 ? std::string() : values[option].as<std::string>();
}

Result<Ground> ground_of(const Values& values, Context& context, schema::Lab::Reader lab,
                         Instant begin) {
  if (values.count("world") != 0) {
    Ground ground{.worlds = {}, .words = "the world of"};
    for (const auto& file : values["world"].as<std::vector<std::string>>()) {
      RELAB_TRY(auto world, rehearsal::load_world(file, lab));
      for (const auto& other : ground.worlds)
        if (view(other.reader().getHost()) == view(world.reader().getHost()))
          return fail(Fault::invalid, fmt::format("{} is the second world of {}", file,
                                                  view(world.reader().getHost())));
      ground.worlds.push_back(std::move(world));
      ground.words += " " + file;
    }
    return ground;
  }
  if (values.count("described") != 0)
    return Ground{.worlds = described(lab, begin),
                  .words = "the machines as lab.toml describes them"};
  const auto name = str(lab.getName());
  const auto run = option_text(values, "audit");
  std::error_code ignored;
  if (run.empty() && !fs::exists(context.ledger_file(name), ignored))
    return unaudited(context.globals().lab_file, lab, begin);
  RELAB_TRY(const auto book, context.read_book(name));
  if (book.state().is_rehearsed())
    return fail(Fault::invalid,
                fmt::format("{} is of a rehearsal: its audit is one of a simulated machine",
                            context.ledger_file(name).string()),
                "rehearse with --world, or where a real ledger is: --state-dir");
  if (run.empty() && !is_audited(book.state(), lab))
    return unaudited(context.globals().lab_file, lab, begin);
  std::string id;
  if (!run.empty()) {
    RELAB_TRY(const auto* audit, find_audit(book.state(), run));
    id = audit->id.text();
  }
  RELAB_TRY(auto worlds, audited(book.state(), lab, id, begin));
  return Ground{.worlds = std::move(worlds),
                .words = run.empty() ? "the newest audit" : "the audit of run " + run};
}

Result<void> save_worlds(const Ground& ground, const std::string& file) {
  if (file.empty()) return {};
  if (ground.worlds.size() == 1) return rehearsal::save_world(ground.worlds.front().reader(), file);
  for (const auto& world : ground.worlds)
    RELAB_CHECK(rehearsal::save_world(world.reader(),
                                      fmt::format("{}.{}", file, str(world.reader().getHost()))));
  return {};
}

}  // namespace relab::controller::cli

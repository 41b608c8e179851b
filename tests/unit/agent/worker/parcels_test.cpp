// Files that come from the controller in pieces.

#include "agent/worker/parcels.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "common/crypto/sha256.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A controller that sends ten bytes at a time.
struct Controller {
  std::string content = "the quick brown fox jumps over the lazy dog";
  /// Unanswered, before it answers.
  int silent = 0;
  std::vector<Want> asked = {};
  std::string missing = {};

  Parcel parcel() const {
    return {.name = "fox_1_all.deb",
            .sha256 = crypto::sha256(bytes_of("the quick brown fox jumps over the lazy dog")),
            .size = 43};
  }
  Parcels::Ask ask() {
    return [this](const Want& want) -> std::optional<Piece> {
      asked.push_back(want);
      if (silent-- > 0) return {};
      if (!missing.empty()) return Piece{.of = want, .bytes = {}, .missing = missing};
      const auto part = content.substr(std::min<std::size_t>(want.offset, content.size()), 10);
      return Piece{.of = want, .bytes = Bytes(part.begin(), part.end())};
    };
  }
};

}  // namespace

TEST_CASE("parcels: a file comes in pieces, once", "[agent][worker]") {
  const Scratch scratch;
  Controller controller;
  Parcels parcels(scratch.path() / "parcels", {}, controller.ask());

  const auto path = must(parcels.fetch(controller.parcel()));

  CHECK(read(path) == controller.content);
  CHECK(path.filename() == controller.parcel().sha256);
  CHECK(controller.asked.size() == 5);

  must(parcels.fetch(controller.parcel()));
  CHECK(controller.asked.size() == 5);
}

TEST_CASE("parcels: one that broke off goes on where it stopped", "[agent][worker]") {
  const Scratch scratch;
  Controller controller;
  std::stop_source stop;
  int left = 2;
  Parcels first(scratch.path(), stop.get_token(), [&](const Want& want) {
    if (left-- == 0) stop.request_stop();
    return left < 0 ? std::optional<Piece>() : controller.ask()(want);
  });
  CHECK(first.fetch(controller.parcel()).error().fault == Fault::cancelled);
  controller.asked.clear();

  Parcels second(scratch.path(), {}, controller.ask());
  const auto path = must(second.fetch(controller.parcel()));

  CHECK(read(path) == controller.content);
  REQUIRE_FALSE(controller.asked.empty());
  CHECK(controller.asked[0].offset == 20);
}

TEST_CASE("parcels: what is not answered is asked again", "[agent][worker]") {
  const Scratch scratch;
  Controller controller{.silent = 3};
  Parcels parcels(scratch.path(), {}, controller.ask());

  must(parcels.fetch(controller.parcel()));

  CHECK(controller.asked.size() == 8);
}

TEST_CASE("parcels: another file than the one that was ordered is not taken", "[agent][worker]") {
  const Scratch scratch;
  Controller controller;
  Parcels parcels(scratch.path(), {}, controller.ask());
  SECTION("changed") { controller.content[7] = 'Q'; }
  SECTION("shorter") { controller.content.resize(15); }
  SECTION("longer") { controller.content += "and more of it"; }

  const auto fetched = parcels.fetch(controller.parcel());

  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().fault == Fault::damaged);
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("parcels: what the controller has no more is told in its words", "[agent][worker]") {
  const Scratch scratch;
  Controller controller{.missing = "it is not in the folder of packages"};
  Parcels parcels(scratch.path(), {}, controller.ask());

  const auto fetched = parcels.fetch(controller.parcel());

  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().fault == Fault::missing);
  CHECK_THAT(fetched.error().what, Catch::Contains("fox_1_all.deb: it is not in the folder"));
}

TEST_CASE("parcels: one that was damaged on the disk is noticed, and fetched anew",
          "[agent][worker]") {
  const Scratch scratch;
  Controller controller;
  Parcels parcels(scratch.path(), {}, controller.ask());
  const auto path = must(parcels.fetch(controller.parcel()));
  std::ofstream(path) << "something else";

  CHECK(parcels.fetch(controller.parcel()).error().fault == Fault::damaged);

  CHECK(read(must(parcels.fetch(controller.parcel()))) == controller.content);
}

TEST_CASE("parcels: two tasks that want one file fetch it once", "[agent][worker]") {
  const Scratch scratch;
  Controller controller;
  Parcels first(scratch.path(), {}, controller.ask());
  std::atomic<bool> begun = false;
  Controller other;
  Parcels second(scratch.path(), {}, [&](const Want& want) {
    begun = true;
    // The first one comes while this one is at it.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return other.ask()(want);
  });

  Result<fs::path> fetched;
  std::jthread later([&] {
    while (!begun) std::this_thread::yield();
    fetched = first.fetch(controller.parcel());
  });
  must(second.fetch(controller.parcel()));
  later.join();

  CHECK(read(must(std::move(fetched))) == controller.content);
  CHECK(controller.asked.empty());
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(scratch.path()))
    if (entry.is_regular_file()) ++files;
  CHECK(files == 1);
}

TEST_CASE("parcels: what nobody used for a month goes", "[agent][worker]") {
  const Scratch scratch;
  Controller controller;
  const auto old = scratch.path() / "old";
  std::ofstream(old) << "old";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::days(40));
  Parcels parcels(scratch.path(), {}, controller.ask());

  must(parcels.fetch(controller.parcel()));

  CHECK_FALSE(fs::exists(old));
}

}  // namespace relab::agent

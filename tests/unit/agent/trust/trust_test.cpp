// The agent's keys and the controllers that it obeys, on the disk.

#include "agent/trust/trust.h"

#include <fstream>
#include <sys/stat.h>

#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

Party controller(std::uint8_t seed) {
  crypto::start();
  const auto keys = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
  return must(
      read_identity(state_identity(keys, {.role = schema::Role::CONTROLLER, .name = "admin"}),
                    schema::Role::CONTROLLER));
}

}  // namespace

TEST_CASE("trust: an agent begins with nobody to obey", "[agent][trust]") {
  const Scratch scratch;

  const auto trust = must(Trust::load(scratch.path()));

  CHECK(trust.empty());
  CHECK(trust.by_sign_key({}) == nullptr);
}

TEST_CASE("trust: a pinned controller is known by both keys, now and after a restart",
          "[agent][trust]") {
  const Scratch scratch;
  const auto admin = controller(1);
  auto trust = must(Trust::load(scratch.path()));
  must(trust.add(scratch.path(), admin, "home"));

  const auto again = must(Trust::load(scratch.path()));

  for (const Trust* known : {&std::as_const(trust), &again}) {
    CHECK(known->lab() == "home");
    CHECK(known->by_sign_key(admin.sign_key)->name == "admin");
    CHECK(known->by_curve_key(crypto::z85(admin.curve_key))->sign_key == admin.sign_key);
    CHECK(known->by_sign_key(controller(2).sign_key) == nullptr);
    CHECK(known->by_curve_key("") == nullptr);
  }
}

TEST_CASE("trust: the same controller twice is one", "[agent][trust]") {
  const Scratch scratch;
  auto trust = must(Trust::load(scratch.path()));
  must(trust.add(scratch.path(), controller(1), "home"));
  must(trust.add(scratch.path(), controller(1), "home"));
  must(trust.add(scratch.path(), controller(2), "home"));

  CHECK(must(Trust::load(scratch.path())).controllers().size() == 2);
}

TEST_CASE("trust: an agent belongs to one lab", "[agent][trust]") {
  const Scratch scratch;
  auto trust = must(Trust::load(scratch.path()));
  must(trust.add(scratch.path(), controller(1), "home"));

  CHECK(trust.add(scratch.path(), controller(2), "work").error().fault == Fault::conflict);

  CHECK(trust.controllers().size() == 1);
  CHECK(must(Trust::load(scratch.path())).controllers().size() == 1);
}

TEST_CASE("trust: a controller that was removed stays removed", "[agent][trust]") {
  const Scratch scratch;
  auto trust = must(Trust::load(scratch.path()));
  must(trust.add(scratch.path(), controller(1), "home"));
  must(trust.add(scratch.path(), controller(2), "home"));

  must(trust.remove(scratch.path(), controller(1).sign_key));

  CHECK(trust.remove(scratch.path(), controller(1).sign_key).error().fault == Fault::missing);
  const auto again = must(Trust::load(scratch.path()));
  CHECK(again.by_sign_key(controller(1).sign_key) == nullptr);
  CHECK(again.by_sign_key(controller(2).sign_key) != nullptr);
}

TEST_CASE("trust: what cannot be stored is not believed", "[agent][trust]") {
  const Scratch scratch;
  auto trust = must(Trust::load(scratch.path()));

  CHECK_FALSE(trust.add(scratch.path() / "gone", controller(1), "home"));

  CHECK(trust.empty());
}

TEST_CASE("trust: a damaged file is an error, not an empty list", "[agent][trust]") {
  const Scratch scratch;
  auto trust = must(Trust::load(scratch.path()));
  must(trust.add(scratch.path(), controller(1), "home"));
  const auto file = scratch.path() / "trust";
  const auto size = std::filesystem::file_size(file);

  std::filesystem::resize_file(file, GENERATE_COPY(0U, size - 8, size - 1));

  CHECK(Trust::load(scratch.path()).error().fault == Fault::damaged);
}

TEST_CASE("trust: a stored controller whose statement was changed is an error", "[agent][trust]") {
  const Scratch scratch;
  auto trust = must(Trust::load(scratch.path()));
  must(trust.add(scratch.path(), controller(1), "home"));
  const auto file = scratch.path() / "trust";
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto name = text.find("admin");
  REQUIRE(name != std::string::npos);
  text[name] = 'A';
  std::ofstream(file, std::ios::binary) << text;

  CHECK(Trust::load(scratch.path()).error().fault == Fault::damaged);
}

TEST_CASE("keys: made once, for the owner only, and the same ever after", "[agent][trust]") {
  crypto::start();
  const Scratch scratch;
  const auto folder = scratch.path() / "state";

  const auto first = must(load_or_make_keys(folder));

  CHECK(must(load_or_make_keys(folder)).sign_key() == first.sign_key());
  struct stat info {};
  REQUIRE(::stat((folder / "agent.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600);
}

TEST_CASE("keys: a file that others may read is not used", "[agent][trust]") {
  crypto::start();
  const Scratch scratch;
  static_cast<void>(must(load_or_make_keys(scratch.path())));
  const auto mode = GENERATE(0640U, 0604U, 0620U, 0601U);
  REQUIRE(::chmod((scratch.path() / "agent.key").c_str(), mode) == 0);

  CHECK(load_or_make_keys(scratch.path()).error().fault == Fault::damaged);
}

TEST_CASE("keys: a file of a wrong size is damaged, and not replaced", "[agent][trust]") {
  crypto::start();
  const Scratch scratch;
  static_cast<void>(must(load_or_make_keys(scratch.path())));
  const auto file = scratch.path() / "agent.key";
  const auto size = GENERATE(0U, 95U, 97U, 192U, 193U);
  std::filesystem::resize_file(file, size);

  CHECK_FALSE(load_or_make_keys(scratch.path()));

  CHECK(std::filesystem::file_size(file) == size);
}

}  // namespace relab::agent

// The controller's secrets on the disk.

#include "controller/secrets/store.h"

#include <sys/stat.h>

#include "common/base/file.h"
#include "common/crypto/sealed_secret.h"
#include "common/wire/message.h"
#include "schema/keys.capnp.h"
#include "tests/support/records.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

const Instant monday = instant_of(1'790'000'000'000);

crypto::Secret secret(std::string_view text) { return crypto::Secret::of(bytes_of(text)); }

class Kept {
 public:
  void set(const std::string& lab, const std::string& name, std::string_view value) const {
    must(store.set(keys, {.lab = lab, .name = name}, secret(value), monday));
  }
  Result<std::string> get(const std::string& lab, const std::string& name) const {
    auto value = store.get(keys, {.lab = lab, .name = name});
    if (!value) return fail(value.error());
    return std::string(text_of(value->value.view()));
  }
  using Change = void (*)(schema::SecretStore::Builder);
  void alter(Change change) const {
    const auto text = must(read_small_file(path));
    Draft<schema::SecretStore> draft(
        must(Message<schema::SecretStore>::parse(bytes_of(text))).reader());
    change(*draft);
    must(replace_file(path, text_of(std::move(draft).finish().bytes())));
  }

  Scratch scratch;
  std::filesystem::path path = scratch.path() / "config" / "secrets";
  crypto::Keys keys = fixed_keys(1);
  SecretStore store = SecretStore(path);
};

}  // namespace

TEST_CASE("secret store: what was set comes back, by lab and name", "[controller][secrets]") {
  const Kept kept;
  const std::string raw("\0\xff\n", 3);

  kept.set("home", "tank-key", "correct horse");
  kept.set("home", "backup", raw);
  kept.set("work", "tank-key", std::string(crypto::secret_size_max, 'x'));

  CHECK(must(kept.get("home", "tank-key")) == "correct horse");
  CHECK(must(kept.get("home", "backup")) == raw);
  CHECK(must(kept.get("work", "tank-key")).size() == crypto::secret_size_max);
  CHECK(must(kept.store.list("home")) ==
        std::vector<SecretNote>{{.name = "backup", .set_at = monday},
                                {.name = "tank-key", .set_at = monday}});
}

TEST_CASE("secret store: the last value counts, and a removed one is gone",
          "[controller][secrets]") {
  const Kept kept;
  kept.set("home", "a", "first");
  kept.set("home", "b", "other");
  kept.set("home", "a", "second");
  CHECK(must(kept.get("home", "a")) == "second");

  must(kept.store.remove({.lab = "home", .name = "a"}));

  CHECK(kept.get("home", "a").error().fault == Fault::missing);
  CHECK(must(kept.get("home", "b")) == "other");
  CHECK(kept.store.remove({.lab = "home", .name = "a"}).error().fault == Fault::missing);
}

TEST_CASE("secret store: since when a value is the one of its name", "[controller][secrets]") {
  const Kept kept;
  const SecretId id{.lab = "home", .name = "a"};
  const auto tuesday = monday + std::chrono::hours(24);
  kept.set("home", "a", "first");
  const auto since = [&] { return must(kept.store.get(kept.keys, id)).set_at; };

  CHECK(must(kept.store.set(kept.keys, id, secret("first"), tuesday)) == monday);
  CHECK(since() == monday);
  CHECK(must(kept.store.set(kept.keys, id, secret("second"), tuesday)) == tuesday);
  CHECK(since() == tuesday);
}

TEST_CASE("secret store: where there is none, that is said, with the command",
          "[controller][secrets]") {
  const Kept kept;

  const auto value = kept.get("home", "tank-key");

  CHECK(must(kept.store.list("home")).empty());
  CHECK(value.error().fault == Fault::missing);
  CHECK(value.error().hint == "`relab secret set tank-key` stores it");
}

TEST_CASE("secret store: no name or value that is none is stored", "[controller][secrets]") {
  const Kept kept;
  const auto set = [&](const std::string& name, const std::string& value) {
    return kept.store.set(kept.keys, {.lab = "home", .name = name}, secret(value), monday)
        .error()
        .fault;
  };

  CHECK(set("Tank", "x") == Fault::invalid);
  CHECK(set("", "x") == Fault::invalid);
  CHECK(set("tank", "") == Fault::invalid);
  CHECK(set("tank", std::string(crypto::secret_size_max + 1, 'x')) == Fault::invalid);
  CHECK_FALSE(std::filesystem::exists(kept.path));
}

TEST_CASE("secret store: the file is its owner's alone, and holds nothing in clear",
          "[controller][secrets]") {
  const Kept kept;
  kept.set("home", "tank-key", "correct horse");

  struct stat info {};
  REQUIRE(::stat(kept.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600);
  CHECK(must(read_small_file(kept.path)).find("horse") == std::string::npos);
  REQUIRE(::chmod(kept.path.c_str(), 0640) == 0);
  CHECK(kept.get("home", "tank-key").error().fault == Fault::refused);
}

TEST_CASE("secret store: other keys open nothing, and change nothing", "[controller][secrets]") {
  const Kept kept;
  kept.set("home", "a", "first");
  const auto others = fixed_keys(2);
  const SecretId id{.lab = "home", .name = "a"};

  CHECK(kept.store.get(others, id).error().fault == Fault::conflict);
  CHECK(kept.store.set(others, id, secret("second"), monday).error().fault == Fault::conflict);
  CHECK(kept.store.check_owner(others.sign_key()).error().fault == Fault::conflict);
  must(kept.store.check_owner(kept.keys.sign_key()));
  // Whoever claims the file has the wrong key still.
  kept.alter([](auto store) { store.setSignKey(blob(fixed_keys(2).sign_key())); });
  CHECK(kept.store.get(others, id).error().fault == Fault::damaged);
}

TEST_CASE("secret store: entries that changed places, names or times do not open",
          "[controller][secrets]") {
  const auto change = GENERATE(values<Kept::Change>({
      [](auto store) {
        const Bytes box(store.getEntries()[1].getBox().begin(),
                        store.getEntries()[1].getBox().end());
        const Bytes nonce(store.getEntries()[1].getNonce().begin(),
                          store.getEntries()[1].getNonce().end());
        store.getEntries()[0].setBox(blob(box));
        store.getEntries()[0].setNonce(blob(nonce));
      },
      [](auto store) { store.getEntries()[0].setSetAt(1); },
      [](auto store) { store.getEntries()[0].getBox()[3] ^= 1U; },
      [](auto store) { store.getEntries()[0].getNonce()[3] ^= 1U; },
      [](auto store) { store.getEntries()[0].initBox(0); },
      [](auto store) { store.getEntries()[0].initNonce(3); },
  }));
  const Kept kept;
  kept.set("home", "a", "first");
  kept.set("home", "b", "other");

  kept.alter(change);

  CHECK(kept.get("home", "a").error().fault == Fault::damaged);
  CHECK(must(kept.get("home", "b")) == "other");
}

TEST_CASE("secret store: a file that is not whole is damaged", "[controller][secrets]") {
  const Kept kept;
  kept.set("home", "a", "first");
  const auto whole = must(read_small_file(kept.path));

  for (std::size_t size = 0; size < whole.size(); size += 5) {
    must(replace_file(kept.path, whole.substr(0, size)));
    CHECK(kept.get("home", "a").error().fault == Fault::damaged);
  }
  must(replace_file(kept.path, whole));
  kept.alter([](auto store) { store.setVersion(2); });
  CHECK(kept.store.list("home").error().fault == Fault::damaged);
}

TEST_CASE("secret store: no changed bit gives another secret", "[controller][secrets]") {
  const Kept kept;
  kept.set("home", "a", "first");
  const auto whole = must(read_small_file(kept.path));

  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    auto changed = whole;
    changed[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ (1U << (bit % 8)));
    must(replace_file(kept.path, changed));
    const auto value = kept.get("home", "a");
    INFO("bit " << bit);
    CHECK((!value || *value == "first"));
  }
}

}  // namespace relab::controller

// Secrets in boxes: who can open them, and for what.

#include "common/crypto/sealed_secret.h"

#include <fcntl.h>
#include <fstream>

#include "common/base/handle.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::crypto {

namespace {

Keys keys_of(std::uint8_t seed) {
  start();
  return must(Keys::from(Bytes(Keys::secret_size, seed)));
}

Secret secret(std::string_view text) {
  start();
  return Secret::of(bytes_of(text));
}

std::string text(const Secret& secret) { return std::string(text_of(secret.view())); }

const Bytes task(16, 1);
const Bytes other_task(16, 2);
const SecretUse use{.lab = "home", .task = task, .name = "tank-key"};

}  // namespace

TEST_CASE("sealed secret: its agent opens it, for its use", "[common][crypto]") {
  const auto value = GENERATE(as<std::string>(), "x", "correct horse battery",
                              std::string("\0raw\xff\n", 6), std::string(secret_size_max, 's'));
  const auto agent = keys_of(1);

  const auto box = seal_secret(agent.seal_key(), use, secret(value));

  CHECK(text(must(open_secret(agent, use, box))) == value);
}

TEST_CASE("sealed secret: nobody else opens it", "[common][crypto]") {
  const auto box = seal_secret(keys_of(1).seal_key(), use, secret("correct horse"));

  CHECK(open_secret(keys_of(2), use, box).error().fault == Fault::refused);
}

TEST_CASE("sealed secret: it is of no use for another lab, task or name", "[common][crypto]") {
  const auto agent = keys_of(1);
  const auto other = GENERATE_COPY(values<SecretUse>({
      {.lab = "work", .task = task, .name = "tank-key"},
      {.lab = "home", .task = other_task, .name = "tank-key"},
      {.lab = "home", .task = task, .name = "tank-kez"},
      // The same bytes, parted elsewhere.
      {.lab = "", .task = task, .name = "hometank-key"},
  }));
  const auto box = seal_secret(agent.seal_key(), use, secret("correct horse"));

  const auto opened = open_secret(agent, other, box);

  REQUIRE_FALSE(opened);
  CHECK(opened.error().fault == Fault::refused);
  CHECK(opened.error().what.find("sealed for another") != std::string::npos);
}

TEST_CASE("sealed secret: no changed bit, and no shorter one, opens", "[common][crypto]") {
  const auto agent = keys_of(1);
  const auto box = seal_secret(agent.seal_key(), use, secret("correct horse"));

  for (std::size_t byte = 0; byte < box.size(); ++byte) {
    auto changed = box;
    changed[byte] ^= 1U;
    CHECK_FALSE(open_secret(agent, use, changed));
    CHECK_FALSE(open_secret(agent, use, ByteView(box).first(byte)));
  }
}

TEST_CASE("sealed secret: what else was sealed to the agent is no secret", "[common][crypto]") {
  const auto agent = keys_of(1);
  const auto plain = GENERATE(as<std::size_t>(), 0, 16, 31, 32, 256, 300);

  const auto box = seal(agent.seal_key(), Bytes(plain, 7));

  CHECK(open_secret(agent, use, box).error().fault == Fault::refused);
}

TEST_CASE("sealed secret: the box tells neither what is in it nor how long that is",
          "[common][crypto]") {
  const auto agent = keys_of(1);
  const auto one = seal_secret(agent.seal_key(), use, secret("short"));
  const auto other = seal_secret(agent.seal_key(), use, secret(std::string(200, 'l')));

  CHECK(one.size() == other.size());
  CHECK(one != seal_secret(agent.seal_key(), use, secret("short")));
  CHECK(text_of(other).find("llll") == std::string_view::npos);
}

TEST_CASE("secret names: as the schema has them", "[common][crypto]") {
  CHECK(is_secret_name("tank-key"));
  CHECK(is_secret_name("a"));
  CHECK(is_secret_name(std::string(32, '9')));
  for (const auto* name : {"", "-a", "a-", "A", "a_b", "a b", "a/b", "ä", "a\n"})
    CHECK_FALSE(is_secret_name(name));
  CHECK_FALSE(is_secret_name(std::string(33, 'a')));
}

TEST_CASE("secret: padded, it is as long as others, and comes back whole", "[common][crypto]") {
  const auto size = GENERATE(as<std::size_t>(), 0, 1, 255, 256, 257, 65536);
  const auto value = secret(std::string(size, '\x80'));

  const auto padded = value.padded();

  CHECK(padded.size() == (size / 256 + 1) * 256);
  CHECK(text(padded.unpadded().value()) == text(value));
  CHECK_FALSE(secret("no padding").unpadded());
  CHECK_FALSE(secret(std::string(256, '\0')).unpadded());
}

TEST_CASE("secret: one end of a line is left out", "[common][crypto]") {
  CHECK(text(secret("key\n").without_line_end()) == "key");
  CHECK(text(secret("key\r\n").without_line_end()) == "key");
  CHECK(text(secret("key\n\n").without_line_end()) == "key\n");
  CHECK(text(secret("key").without_line_end()) == "key");
  CHECK(secret("\n").without_line_end().size() == 0);
  CHECK(secret("").without_line_end().size() == 0);
}

TEST_CASE("secret: a file is read whole, or not at all", "[common][crypto]") {
  start();
  const Scratch scratch;
  std::ofstream(scratch.path() / "key") << "0123456789";
  const auto open = [&] { return Fd(::open((scratch.path() / "key").c_str(), O_RDONLY)); };

  CHECK(text(must(Secret::read(open().get(), 10))) == "0123456789");
  CHECK(Secret::read(open().get(), 9).error().fault == Fault::invalid);
  CHECK(Secret::read(-1, 9).error().fault == Fault::invalid);
}

TEST_CASE("keys: the key of a store is not that of another, nor one of the three",
          "[common][crypto]") {
  const auto keys = keys_of(1);

  const auto key = keys.store_key();

  CHECK(hex(key.view()) == hex(keys_of(1).store_key().view()));
  CHECK(hex(key.view()) != hex(keys_of(2).store_key().view()));
  CHECK(hex(keys.secret().view()).find(hex(key.view())) == std::string::npos);
}

}  // namespace relab::crypto

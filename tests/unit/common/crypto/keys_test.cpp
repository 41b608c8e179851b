// Keys and enrolment codes against values that another implementation computed.

#include "common/crypto/keys.h"

#include "common/crypto/enrol_code.h"
#include "tests/support/must.h"

namespace relab::crypto {

namespace {

Bytes counted(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

Keys counted_keys() {
  start();
  return must(Keys::from(counted(96)));
}

constexpr std::string_view code_text = "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-6643";

}  // namespace

TEST_CASE("keys: the public keys follow from the secret", "[common][crypto]") {
  const auto keys = counted_keys();

  CHECK(hex(keys.sign_key()) == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
  CHECK(hex(keys.curve_key()) ==
        "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254");
  CHECK(hex(keys.seal_key()) == "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a");
  CHECK(keys.curve_secret_z85() == "ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)");
  CHECK(fingerprint(keys.sign_key()) == "1708 b879 3dfd 684a 252a c865 51a9 ccf2");
}

TEST_CASE("keys: signatures are those of Ed25519", "[common][crypto]") {
  const auto keys = counted_keys();

  const auto signature = keys.sign(bytes_of("message"));

  CHECK(hex(signature) ==
        "7bc0ea578290c8dcf6fc8a6e134a7f3e794ddd7e8922108bccd6202f95de532b"
        "92c2298dc8e161ac2b5e3653f92c5b0e12adf26b3d46e7bd2057715f25d3e205");
  CHECK(verify(keys.sign_key(), bytes_of("message"), signature));
}

TEST_CASE("keys: no other message, key or signature verifies", "[common][crypto]") {
  const auto keys = counted_keys();
  auto signature = keys.sign(bytes_of("message"));

  CHECK_FALSE(verify(keys.sign_key(), bytes_of("messagf"), signature));
  CHECK_FALSE(verify(keys.sign_key(), {}, signature));
  CHECK_FALSE(verify(keys.curve_key(), bytes_of("message"), signature));
  CHECK_FALSE(verify(PublicKey{}, bytes_of("message"), signature));
  CHECK_FALSE(verify(keys.sign_key(), bytes_of("message"), ByteView(signature).first(63)));
  CHECK_FALSE(verify(keys.sign_key(), bytes_of("message"), {}));
  signature[40] = static_cast<std::uint8_t>(signature[40] ^ 1U);
  CHECK_FALSE(verify(keys.sign_key(), bytes_of("message"), signature));
}

TEST_CASE("keys: a key of zeros and a signature of zeros do not verify anything",
          "[common][crypto]") {
  start();

  CHECK_FALSE(verify(PublicKey{}, bytes_of("message"), Signature{}));
}

TEST_CASE("keys: made by chance, they come back from their secret", "[common][crypto]") {
  start();
  const auto keys = Keys::make();

  CHECK(must(Keys::from(keys.secret().view())).sign_key() == keys.sign_key());
  CHECK(Keys::make().sign_key() != keys.sign_key());
  CHECK(Keys::from(counted(95)).error().fault == Fault::damaged);
  CHECK(Keys::from(counted(97)).error().fault == Fault::damaged);
  CHECK(public_key(counted(31)).error().fault == Fault::damaged);
  CHECK(public_key(counted(33)).error().fault == Fault::damaged);
}

TEST_CASE("keys: the text form is ZeroMQ's", "[common][crypto]") {
  CHECK(z85(counted(32)) == "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x");
}

TEST_CASE("enrol code: what is derived from a code is fixed", "[common][crypto]") {
  start();
  const auto code = must(EnrolCode::parse(code_text));

  CHECK(code.text() == code_text);
  CHECK(code.agent_pair().secret_z85 == "Elfb2.v!%Rdh9L+5ohnum)*+V{ii[6NvALfpPHhm");
  CHECK(code.agent_pair().public_z85 == "VBFAMb{ndk]VVk4Kmk3mumUn#jNa0MQ!qW4n6Qcp");
  CHECK(code.controller_pair().public_z85 != code.agent_pair().public_z85);
  CHECK(hex(code.proof("offer", {bytes_of("x"), bytes_of("y")})) ==
        "71b1f8beee373a529756eeaaf2be477b147c1e7599c36873f355348c157a9acd");
}

TEST_CASE("enrol code: a proof fits one purpose, one content and one code", "[common][crypto]") {
  start();
  const auto code = must(EnrolCode::parse(code_text));
  const auto proof = code.proof("offer", {bytes_of("x"), bytes_of("y")});

  CHECK(code.proof("answer", {bytes_of("x"), bytes_of("y")}) != proof);
  CHECK(code.proof("offer", {bytes_of("xy"), bytes_of("")}) != proof);
  CHECK(EnrolCode::make().proof("offer", {bytes_of("x"), bytes_of("y")}) != proof);
}

TEST_CASE("enrol code: white space, dashes and case do not matter", "[common][crypto]") {
  start();
  const auto text = GENERATE(as<std::string>(), "0001020304050607 08090A0B0C0D0E0F 6643",
                             "  0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-6643\r\n",
                             "0001 0203 0405 0607 0809 "
                             "0A0B 0C0D 0E0F 6643",
                             "0-0-0-1-0-2-0-3-0405-0607-0809-0a0b-0c0d-0e0f-6643-");

  CHECK(must(EnrolCode::parse(text)).text() == code_text);
}

TEST_CASE("enrol code: any one wrong digit, and any two exchanged, are found", "[common][crypto]") {
  start();
  const std::string right(code_text);
  unsigned passed = 0;
  unsigned tried = 0;
  for (std::size_t at = 0; at < right.size(); ++at) {
    if (right[at] == '-') continue;
    for (const char digit : std::string("0123456789abcdef")) {
      if (digit == right[at]) continue;
      auto wrong = right;
      wrong[at] = digit;
      ++tried;
      if (EnrolCode::parse(wrong)) ++passed;
    }
  }

  CHECK(tried == 36U * 15U);
  CHECK(passed == 0);
}

TEST_CASE("enrol code: what is no code says what to do", "[common][crypto]") {
  start();
  const auto text = GENERATE(as<std::string>(), "", "-", "0001", "zzzz",
                             "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f",
                             "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-66430",
                             "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f-6643-00",
                             "0x01-0203-0405-0607-0809-0a0b-0c0d-0e0f-6643");

  const auto code = EnrolCode::parse(text);

  REQUIRE_FALSE(code);
  CHECK(code.error().fault == Fault::invalid);
  CHECK_FALSE(code.error().hint.empty());
}

TEST_CASE("enrol code: each one made is another, and survives being typed", "[common][crypto]") {
  start();
  const auto code = EnrolCode::make();

  CHECK(must(EnrolCode::parse(code.text())).text() == code.text());
  CHECK(EnrolCode::make().text() != code.text());
}

TEST_CASE("secret: a copy is a copy, and wiping leaves nothing", "[common][crypto]") {
  start();
  const auto secret = Secret::of(bytes_of("secret"));
  std::string text = "a password that is longer than any small buffer";

  wipe(text);

  CHECK(text.empty());
  CHECK(text_of(secret.view()) == "secret");
  CHECK(Secret(4).view()[3] == 0);
  CHECK(Secret::of({}).size() == 0);
}

}  // namespace relab::crypto

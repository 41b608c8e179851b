#include "common/wire/envelope.h"

#include <algorithm>

#include "tests/support/must.h"

namespace relab {

namespace {

crypto::Keys test_keys(std::uint8_t seed) {
  crypto::start();
  return must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
}

Message<schema::Ack> some_ack() {
  Draft<schema::Ack> ack;
  ack->setTaskId(blob(Bytes(16, 7)));
  return std::move(ack).finish();
}

}  // namespace

TEST_CASE("envelope: the encoding is that of the DSSE specification", "[common][wire]") {
  const auto encoding =
      pre_authentication_encoding("http://example.com/HelloWorld", bytes_of("hello world"));

  CHECK(text_of(encoding) == "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST_CASE("envelope: what was signed opens for a trusted key", "[common][wire]") {
  const auto keys = test_keys(1);
  const auto frame = sign(keys, some_ack());

  const auto opening =
      open_frame(frame.bytes(), 4096, [&](const auto& key) { return key == keys.sign_key(); });

  REQUIRE(opening.opened);
  CHECK(opening.opened->is<schema::Ack>());
  CHECK(view(must(opening.opened->as<schema::Ack>()).reader().getTaskId()).size() == 16);
  CHECK_FALSE(opening.opened->as<schema::Order>());
}

TEST_CASE("envelope: a change of any one bit keeps it shut", "[common][wire]") {
  const auto keys = test_keys(1);
  const auto frame = sign(keys, some_ack());
  const auto trusted = [&](const auto& key) { return key == keys.sign_key(); };

  for (std::size_t bit = 0; bit < frame.bytes().size() * 8; ++bit) {
    Bytes changed(frame.bytes().begin(), frame.bytes().end());
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const auto opening = open_frame(changed, 4096, trusted);
    // A changed padding byte is no part of what is carried; everything carried must be as it was
    // signed.
    if (opening.opened) {
      INFO("bit " << bit);
      CHECK(opening.opened->payload().size() == view(frame.reader().getPayload()).size());
      CHECK(opening.opened->digest == crypto::digest(view(frame.reader().getPayload())));
      CHECK(opening.opened->type() == view(frame.reader().getPayloadType()));
    }
  }
}

TEST_CASE("envelope: each way to be shut has its reason", "[common][wire]") {
  const auto keys = test_keys(1);
  const auto frame = sign(keys, some_ack());
  const auto nobody = [](const auto&) { return false; };
  const auto everybody = [](const auto&) { return true; };
  Draft<schema::Envelope> forged(frame.reader());
  forged->setPayloadType("application/vnd.relab.order.v1+capnp");
  const auto retyped = std::move(forged).finish();

  CHECK(open_frame(frame.bytes(), 16, everybody).reason == Unopened::too_large);
  CHECK(open_frame(bytes_of("not a message at all"), 4096, everybody).reason ==
        Unopened::malformed);
  CHECK(open_frame({}, 4096, everybody).reason == Unopened::malformed);
  CHECK(open_frame(frame.bytes(), 4096, nobody).reason == Unopened::unknown_key);
  const auto opening = open_frame(retyped.bytes(), 4096, everybody);
  CHECK_FALSE(opening.opened);
  CHECK(opening.reason == Unopened::bad_signature);
}

TEST_CASE("message: text that is not UTF-8 and unknown enumerants are refused", "[common][wire]") {
  Draft<schema::Receipt> draft;
  draft->setWhat("abcdefgh");
  auto message = std::move(draft).finish();
  Bytes bytes(message.bytes().begin(), message.bytes().end());
  const auto at = std::search(bytes.begin(), bytes.end(), bytes_of("abcdefgh").begin(),
                              bytes_of("abcdefgh").end());
  REQUIRE(at != bytes.end());

  *at = 0xFF;
  CHECK(Message<schema::Receipt>::parse(bytes).error().fault == Fault::damaged);
  *at = 0;
  CHECK(Message<schema::Receipt>::parse(bytes).error().fault == Fault::damaged);
  CHECK(Message<schema::Receipt>::parse(ByteView(bytes).first(bytes.size() - 8)).error().fault ==
        Fault::damaged);
  CHECK(Message<schema::Receipt>::parse(ByteView(bytes).first(bytes.size() - 3)).error().fault ==
        Fault::damaged);
}

}  // namespace relab

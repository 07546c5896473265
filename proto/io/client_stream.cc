#include "proto/io/client_stream.h"

#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proto/io/socket.h"

namespace sekisho::io {
namespace {

constexpr Duration kSlice = std::chrono::milliseconds(100);  // how long `stop` may go unasked

class PlainStream final : public ClientStream {
 public:
  explicit PlainStream(UniqueFd fd) : ClientStream(std::move(fd)) {}

  bool WaitConnected(const Patience& patience) {
    if (!Await(POLLOUT, patience)) return Fail("no connection in time");
    const int pending = PendingError(fd_.get());
    return pending == 0 || Fail(std::strerror(pending));
  }

  bool Write(std::span<const uint8_t> bytes, const Patience& patience) override {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        sent_ += static_cast<uint64_t>(n);
        bytes = bytes.subspan(static_cast<size_t>(n));
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else if (n < 0 && errno != EAGAIN) {
        return Fail(std::strerror(errno));
      } else if (!Await(POLLOUT, patience)) {
        return Fail("the receiver does not read");
      }
    }
    return true;
  }

  size_t Read(std::span<uint8_t> out, const Patience& patience) override {
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), out.data(), out.size(), MSG_DONTWAIT);
      if (n > 0) return static_cast<size_t>(n);
      if (n == 0) Fail("the receiver hung up");
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) Fail(std::strerror(errno));
      if (n == 0 || errno != EAGAIN) return 0;
      if (!Await(POLLIN, patience)) {
        Fail("no answer in time");
        return 0;
      }
    }
  }

  uint64_t sent() const override { return sent_; }
  UniqueFd Release() { return std::move(fd_); }

 private:
  uint64_t sent_ = 0;
};

struct FreeSsl {
  void operator()(SSL* s) const { SSL_free(s); }
  void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
};

std::string TlsError() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "the connection broke" : reason;
}

class TlsStream final : public ClientStream {
 public:
  explicit TlsStream(UniqueFd fd) : ClientStream(std::move(fd)) {}

  bool Handshake(const StreamTarget& target, const Patience& patience) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) != 1)
      return Fail("no TLS");
    if (SSL_CTX_load_verify_locations(context_.get(), target.tls_ca.c_str(), nullptr) != 1)
      return Fail("cannot read " + target.tls_ca + ": " + TlsError());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ssl_.reset(SSL_new(context_.get()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd_.get()) != 1) return Fail("no TLS");
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
    const std::string address = target.endpoint.address.ToString();
    const bool named = target.tls_name.empty()
                           ? X509_VERIFY_PARAM_set1_ip_asc(wanted, address.c_str()) == 1
                           : SSL_set1_host(ssl_.get(), target.tls_name.c_str()) == 1 &&
                                 SSL_set_tlsext_host_name(ssl_.get(), target.tls_name.c_str()) == 1;
    if (!named) return Fail("the name of the receiver cannot be used");
    return Repeat([this] { return SSL_connect(ssl_.get()); }, patience) > 0 || Explain();
  }

  bool Write(std::span<const uint8_t> bytes, const Patience& patience) override {
    while (!bytes.empty()) {
      const int size = static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20));
      const int n = Repeat([&] { return SSL_write(ssl_.get(), bytes.data(), size); }, patience);
      if (n <= 0) return Fail("TLS: " + TlsError());
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
    return true;
  }

  size_t Read(std::span<uint8_t> out, const Patience& patience) override {
    const int n =
        Repeat([&] { return SSL_read(ssl_.get(), out.data(), static_cast<int>(out.size())); }, patience);
    if (n <= 0) Fail("TLS: " + TlsError());
    return n > 0 ? static_cast<size_t>(n) : 0;
  }

  uint64_t sent() const override { return BIO_number_written(SSL_get_wbio(ssl_.get())); }

 private:
  int Repeat(const std::function<int()>& step, const Patience& patience) {
    for (;;) {
      ERR_clear_error();
      const int n = step();
      if (n > 0) return n;
      const int why = SSL_get_error(ssl_.get(), n);
      const bool wait = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
      if (!wait || !Await(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, patience)) return n;
    }
  }
  bool Explain() {
    const long verdict = SSL_get_verify_result(ssl_.get());
    return Fail(verdict == X509_V_OK ? "TLS: " + TlsError()
                                     : std::string("the receiver's certificate is not taken: ") +
                                           X509_verify_cert_error_string(verdict));
  }

  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

UniqueFd ConnectUnix(const std::string& path, std::string* error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    *error = "the path is too long";
    return {};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  *error = std::strerror(errno);
  return {};
}

}  // namespace

std::unique_ptr<ClientStream> ClientStream::Connect(const StreamTarget& target, const Patience& patience,
                                                    std::string* error) {
  UniqueFd fd;
  if (!target.unix_path.empty()) {
    fd = ConnectUnix(target.unix_path, error);
    if (!fd) return nullptr;
  } else if (ConnectTcp(target.endpoint, &fd) != ConnectOutcome::kOk) {
    *error = "cannot be reached";
    return nullptr;
  }
  auto plain = std::make_unique<PlainStream>(std::move(fd));
  if (!plain->WaitConnected(patience)) {
    *error = plain->error();
    return nullptr;
  }
  if (!target.tls) return plain;
  auto tls = std::make_unique<TlsStream>(plain->Release());
  if (tls->Handshake(target, patience)) return tls;
  *error = tls->error();
  return nullptr;
}

uint64_t ClientStream::taken() const {
  int waiting = 0;
  if (::ioctl(fd_.get(), SIOCOUTQ, &waiting) != 0) return 0;
  const auto left = static_cast<uint64_t>(std::max(waiting, 0));
  return sent() - std::min(left, sent());
}

bool ClientStream::gone() const {
  pollfd p{fd_.get(), POLLRDHUP, 0};
  return ::poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool ClientStream::Await(short events, const Patience& patience) {
  const MonoTime end = ReadClocks().mono + patience.most;
  for (;;) {
    if (patience.stop && patience.stop()) return false;
    const Duration left = std::min<Duration>(end - ReadClocks().mono, kSlice);
    if (left.count() <= 0) return false;
    pollfd p{fd_.get(), events, 0};
    const int n = ::poll(&p, 1, static_cast<int>(left.count() / 1000 + 1));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

bool ClientStream::Fail(const std::string& what) {
  error_ = what;
  return false;
}

}  // namespace sekisho::io

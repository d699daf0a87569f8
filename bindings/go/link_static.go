// SPDX-License-Identifier: Apache-2.0

//go:build raffle_static

package raffle

// The static library: the archive by its name, then what it needs. The shared one, which pkg-config names as well, is then needed by nobody.

// #cgo LDFLAGS: -l:libraffle.a -Wl,--as-needed
// #cgo pkg-config: --static libraffle
import "C"

// SPDX-License-Identifier: Apache-2.0

//go:build !raffle_static

package raffle

// The shared library, as pkg-config finds it.

// #cgo pkg-config: libraffle
import "C"

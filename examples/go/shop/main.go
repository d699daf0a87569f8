// SPDX-License-Identifier: Apache-2.0

// A web shop's backend: a cart is an order key, so that a request that is sent again sells nothing twice.
//
//	go run ./shop [-listen ADDRESS] STORE
//
//	POST /orders/CART {"tiers": ["twenty", "three"], "buyer": "b-7"}   the tickets, with 201, or 200 when they had been sold before
//	GET  /orders/CART                                                   the same
//	GET  /pot                                                           what was taken
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"raffle.example/raffle"
)

var shop = raffle.Actor{ID: "shop", Role: raffle.System}

type server struct {
	raffle *raffle.Raffle
	unit   *raffle.Unit
}

type cart struct {
	Tiers []string `json:"tiers"`
	Buyer string   `json:"buyer"`
}

type ticket struct {
	Tier   string `json:"tier"`
	First  string `json:"first_number"`
	Count  uint32 `json:"count"`
	Price  int64  `json:"price"`
	Ticket string `json:"ticket"`
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// refuse says why, by the library's status. What may have been written is asked for again by the same cart.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, raffle.ErrUnknown), errors.Is(err, raffle.ErrTimeout), errors.Is(err, raffle.ErrBusy):
		w.Header().Set("Retry-After", "1")
		status = http.StatusServiceUnavailable
	case errors.Is(err, raffle.ErrMismatch):
		status = http.StatusConflict
	case errors.Is(err, raffle.ErrWindow), errors.Is(err, raffle.ErrClosed), errors.Is(err, raffle.ErrDisabled), errors.Is(err, raffle.ErrQuota):
		status = http.StatusForbidden
	case errors.Is(err, raffle.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, raffle.ErrInvalid), errors.Is(err, raffle.ErrLimit):
		status = http.StatusBadRequest
	}
	answer(w, status, map[string]string{"error": err.Error()})
}

func (s *server) show(w http.ResponseWriter, status int, tickets []raffle.Ticket) {
	list := make([]ticket, len(tickets))
	for i, t := range tickets {
		first, err := raffle.NumberFormat(t.Unit, t.First)
		if err != nil {
			refuse(w, err)
			return
		}
		list[i] = ticket{t.Tier, first, t.Count, t.Price, fmt.Sprintf("%d/%d", t.Unit, t.Serial)}
	}
	answer(w, status, map[string]any{"tickets": list})
}

func (s *server) sell(w http.ResponseWriter, r *http.Request) {
	var c cart
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&c); err != nil || len(c.Tiers) == 0 {
		answer(w, http.StatusBadRequest, map[string]string{"error": "a cart has tiers"})
		return
	}
	sales := make([]raffle.Sale, len(c.Tiers))
	for i, tier := range c.Tiers {
		sales[i] = raffle.Sale{Order: r.PathValue("cart"), Tier: tier, Buyer: c.Buyer, Channel: "web"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	tickets, err := s.unit.Sell(ctx, shop, sales...)
	if err != nil {
		refuse(w, err)
		return
	}
	status := http.StatusCreated
	if tickets[0].Flags&raffle.TicketReplayed != 0 {
		status = http.StatusOK
	}
	s.show(w, status, tickets)
}

func (s *server) order(w http.ResponseWriter, r *http.Request) {
	tickets, err := s.raffle.OrderTickets(r.PathValue("cart"))
	if err != nil {
		refuse(w, err)
		return
	}
	s.show(w, http.StatusOK, tickets)
}

func (s *server) pot(w http.ResponseWriter, _ *http.Request) {
	info, err := s.raffle.Describe()
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"pot": info.Pot, "currency": info.Currency, "tickets": info.Tickets})
}

func run(store, listen string) error {
	r, err := raffle.Open(store, "", &raffle.Host{Log: func(_ raffle.LogLevel, line string) { log.Print(line) }})
	if err != nil {
		return err
	}
	defer r.Free()
	unit, err := r.UnitOpen(1)
	if err != nil {
		return err
	}
	defer unit.Free()
	s := &server{r, unit}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{cart}", s.sell)
	mux.HandleFunc("GET /orders/{cart}", s.order)
	mux.HandleFunc("GET /pot", s.pot)
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	web := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ended <- web.Shutdown(context.Background()) // sales that are under way end
	}()
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended // Serve returns as soon as that begins: the raffle stays open until it is over
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen at")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: shop [-listen ADDRESS] STORE")
	}
	if err := run(flag.Arg(0), *listen); err != nil {
		log.Fatal(err)
	}
}

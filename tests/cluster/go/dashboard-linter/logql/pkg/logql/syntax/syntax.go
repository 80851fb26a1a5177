// Package syntax stands where the linter expects Loki's parser. It has the names that the linter is compiled
// against and reads no query: our dashboards have none for Loki, and the real package brings seven hundred others.
package syntax

import (
	"errors"
	"time"
)

// ParseExpr refuses, so that a query for Loki fails the linter instead of passing it unread.
func ParseExpr(string) (Expr, error) {
	return nil, errors.New("this linter is built without Loki's parser")
}

type Expr interface{}

type SampleExpr = Expr

type StageExpr = Expr

type BinOpExpr struct {
	SampleExpr
	RHS SampleExpr
}

type RangeAggregationExpr struct{ Left *LogRangeExpr }

type VectorAggregationExpr struct{ Left SampleExpr }

type LabelReplaceExpr struct{ Left SampleExpr }

type LogRangeExpr struct {
	Left     Expr
	Interval time.Duration
}

type PipelineExpr struct {
	Left        Expr
	MultiStages []StageExpr
}

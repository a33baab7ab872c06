// Package catalog is what Holdfast knows of models by itself: list prices, context windows and abilities, in a table that is
// built in (models.csv), and the names that one model has at different hosts.
//
// What the table does not say is unknown, never zero and never "no": an unknown price is nil, and so is an ability. A price
// holds at one host only. Where a model is found by its name at another host, its window and abilities are given and its prices
// are not, because nobody knows what that host charges.
package catalog

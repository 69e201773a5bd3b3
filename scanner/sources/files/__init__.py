"""Working trees and plain directories."""
